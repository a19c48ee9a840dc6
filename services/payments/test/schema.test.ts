import { findSchemaDrift } from '@strongroom/testkit';
import { test } from 'tap';
import * as schema from '../src/schema.ts';

test('S4.1 schema.ts says what the migrations make', async (t) => {
  t.same(await findSchemaDrift('payments', schema), []);
});
