import t from 'tap';
import { createAuthFixture } from '../../services/auth/test/auth-fixture.ts';
import { testCrashes } from '../../services/auth/test/crash-cases.ts';
import { killAt } from '../../services/auth/test/kill-at.ts';

t.setTimeout(580_000);
const fixture = await createAuthFixture();
t.teardown(() => fixture.close());

testCrashes(fixture, killAt(fixture));
