import { findSchemaDrift } from '@strongroom/testkit';
import { test } from 'tap';
import * as auditSchema from '../src/audit-schema.ts';
import * as schema from '../src/schema.ts';

test('S4.1 schema.ts says what the migrations of admin_db make', async (t) => {
  t.same(await findSchemaDrift('admin', schema), []);
});

test('S4.1 B-log audit-schema.ts says what the migrations of audit_db make', async (t) => {
  t.same(await findSchemaDrift('audit', auditSchema), []);
});
