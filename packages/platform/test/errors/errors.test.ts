import { Code, ConnectError } from '@connectrpc/connect';
import { errorFromJson, errorToJson } from '@connectrpc/connect/protocol-connect';
import {
  catalogueEntries,
  commonErrors,
  defineErrors,
  isServiceError,
  levelOf,
  readServiceError,
  toConnectError,
} from '@strongroom/platform/errors';
import t from 'tap';

const errors = defineErrors('testing.strongroom', {
  THING_BROKEN: {
    code: Code.FailedPrecondition,
    status: 409,
    message: 'The thing is broken.',
    retry: 'after',
    level: 'warn',
  },
});

/** As the error looks at the other end of a call. */
function overTheWire(error: ConnectError): ConnectError {
  return errorFromJson(JSON.parse(JSON.stringify(errorToJson(error, undefined))), undefined, new ConnectError('lost'));
}

t.test('S6.2: what a service throws is what the other end reads', async (t) => {
  const thrown = errors.THING_BROKEN({
    metadata: { part: 'handle' },
    violations: [{ field: 'amount.minor_units', rule: 'int64.gt', message: 'must be more' }],
    preconditions: [{ type: 'STATE', subject: 'thing/1', description: 'must be whole' }],
    retryAfterMs: 1_500,
    cause: new Error('secret cause'),
  });
  for (const error of [thrown, overTheWire(thrown)]) {
    t.same(readServiceError(error), {
      reason: 'THING_BROKEN',
      domain: 'testing.strongroom',
      code: Code.FailedPrecondition,
      message: 'The thing is broken.',
      status: 409,
      retry: 'after',
      retryAfterMs: 1_500,
      violations: [{ field: 'amount.minor_units', rule: 'int64.gt', message: 'must be more' }],
      preconditions: [{ type: 'STATE', subject: 'thing/1', description: 'must be whole' }],
      metadata: { part: 'handle' },
    });
    t.ok(isServiceError(error, 'THING_BROKEN'));
    t.ok(isServiceError(error));
    t.notOk(isServiceError(error, 'OTHER'));
    t.equal(levelOf(error), 'warn');
  }
  t.notMatch(JSON.stringify(errorToJson(thrown, undefined)), /secret cause/);
});

t.test('S6.2: what nobody foresaw becomes INTERNAL, its cause for the log alone', async (t) => {
  const causes = [
    new Error('password=hunter2'),
    'text',
    undefined,
    null,
    { message: 'x' },
    new ConnectError('host db1', Code.Unknown),
  ];
  for (const cause of causes) {
    const error = toConnectError(cause);
    t.ok(isServiceError(error, 'INTERNAL'));
    t.equal(error.code, Code.Internal);
    t.equal(error.rawMessage, commonErrors.INTERNAL.definition.message);
    t.equal(error.cause, cause);
  }
});

t.test(
  'S6.2: an error of a service behind this one goes on as it is; a status without a reason gets the catalogue’s',
  async (t) => {
    const wire = overTheWire(errors.THING_BROKEN());
    t.equal(toConnectError(wire), wire);
    t.ok(isServiceError(toConnectError(new ConnectError('upstream 10.0.0.1', Code.Unavailable)), 'UNAVAILABLE'));
    t.ok(isServiceError(toConnectError(new ConnectError('late', Code.DeadlineExceeded)), 'DEADLINE_EXCEEDED'));
  },
);

t.test('S6.2: details that are not whole, or of a foreign domain, are not believed', async (t) => {
  const foreign = defineErrors('elsewhere.example', { ODD: { ...commonErrors.NOT_FOUND.definition } });
  t.equal(readServiceError(overTheWire(foreign.ODD())), undefined);
  t.equal(readServiceError(new ConnectError('bare', Code.NotFound)), undefined);
  t.equal(readServiceError(new Error('no')), undefined);
});

t.test('S6.2: the catalogue is a closed list with one entry a reason', async (t) => {
  const common = catalogueEntries().filter(({ domain }) => domain === 'strongroom');
  t.same(common.map(({ reason }) => reason).sort(), Object.keys(commonErrors).sort());
  for (const entry of common) {
    t.ok(entry.status >= 400 && entry.status < 600, entry.reason);
    t.equal(entry.status >= 500, ['error', 'warn'].includes(entry.level) && entry.status >= 500, entry.reason);
    t.match(entry.message, /^[A-Z].*\.$/, entry.reason);
  }
  t.throws(() => defineErrors('testing.strongroom', { 'not-a-reason': commonErrors.NOT_FOUND.definition }));
});
