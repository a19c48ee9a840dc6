import type { ServiceName } from '../support/names.ts';

/** Rate limit windows: every process counts, all in the same ones. */
const limitKeys = ['~rl:*'];
/** Auth alone writes what is revoked; the others only ask. */
const denyListReader = ['%R~deny:*'];

const redisKeysOf: Record<ServiceName, readonly string[]> = {
  auth: [...limitKeys, '~deny:*', '~login_attempts:*', '~account_lockout:*', '~login_spray*'],
  payments: [...limitKeys, ...denyListReader, '~payments:stale:*'],
  profile: [...limitKeys, ...denyListReader, '~profile:stale:*'],
  admin: [...limitKeys, ...denyListReader],
  gateway: [...limitKeys, ...denyListReader, '~dpop:*'],
};

/** ioredis asks INFO before it calls a connection ready. Nothing here lists keys, flushes, or looks at the server. */
const redisCommands =
  '-@all +@read +@write +@connection +@transaction +eval +evalsha +script|load +script|exists ' +
  '-@dangerous -scan -randomkey -dbsize +info +time';

/** What each service may do in Redis: plain reads and writes of its own keys. No channel. */
export function redisAccessOf(service: ServiceName): string {
  return `resetchannels ${redisKeysOf[service].join(' ')} ${redisCommands}`;
}

export interface NatsPermissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/** Every process makes the streams that it finds missing, so that none depends on another's start. */
const ensureStreams = ['EVENTS', 'NOTICES'].flatMap((stream) => [
  `$JS.API.STREAM.INFO.${stream}`,
  `$JS.API.STREAM.CREATE.${stream}`,
]);

function consumer(stream: string, durable: string): string[] {
  return [
    `$JS.API.CONSUMER.CREATE.${stream}.${durable}`,
    `$JS.API.CONSUMER.DURABLE.CREATE.${stream}.${durable}`,
    `$JS.API.CONSUMER.INFO.${stream}.${durable}`,
    `$JS.API.CONSUMER.MSG.NEXT.${stream}.${durable}`,
    `$JS.ACK.${stream}.${durable}.>`,
  ];
}

/** Flags (S5.3): every service reads them, admin alone sets them. */
const readFlags = [
  '$JS.API.INFO',
  '$JS.API.STREAM.INFO.KV_flags',
  '$JS.API.STREAM.MSG.GET.KV_flags',
  '$JS.API.DIRECT.GET.KV_flags',
  '$JS.API.DIRECT.GET.KV_flags.>',
];
const setFlags = [
  '$JS.API.STREAM.CREATE.KV_flags',
  '$JS.API.STREAM.UPDATE.KV_flags',
  '$KV.flags.>',
  'strongroom.signals.flags-changed',
];

/** An event's subject names who it is from, so no service can speak in another's name. */
function producer(service: ServiceName, more: readonly string[] = []): NatsPermissions {
  return {
    publish: [`strongroom.events.${service}.>`, 'strongroom.notices.>', ...ensureStreams, ...readFlags, ...more],
    subscribe: subscriptionsOf(service),
  };
}

/** Answers come to an inbox, whose prefix is each service's own: under one for all, each could read the others' (bus.ts). */
function subscriptionsOf(service: ServiceName): readonly string[] {
  return [`_INBOX_${service}.>`, 'strongroom.signals.>'];
}

export const natsPermissionsOf: Record<ServiceName, NatsPermissions> = {
  auth: producer('auth', ['strongroom.signals.signing-keys']),
  payments: producer('payments'),
  profile: producer('profile', consumer('NOTICES', 'profile-notices')),
  admin: producer('admin', [...consumer('EVENTS', 'audit-log'), ...setFlags]),
  gateway: { publish: [...ensureStreams], subscribe: subscriptionsOf('gateway') },
};
