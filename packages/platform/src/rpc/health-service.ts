import { setTimeout as delay } from 'node:timers/promises';
import type { ConnectRouter, HandlerContext } from '@connectrpc/connect';
import {
  Health as HealthService,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '@strongroom/gen/grpc/health/v1/health_pb.ts';
import { commonErrors } from '../errors/index.ts';
import type { Health } from '../process/index.ts';

const WATCH_INTERVAL_MS = 1_000;

/** grpc.health.v1 (S5.3, B-reflect): the whole process under '' and under each service's name. */
export function createHealthService(health: Health, serviceNames: readonly string[]): (router: ConnectRouter) => void {
  const names = new Set(['', ...serviceNames]);
  const statusOf = async () => ((await health.ready()) ? ServingStatus.SERVING : ServingStatus.NOT_SERVING);
  async function* watch({ service }: { service: string }, { signal }: HandlerContext) {
    // A name that is not known now may be later; the protocol asks for this answer instead of an error.
    if (!names.has(service)) {
      yield { status: ServingStatus.SERVICE_UNKNOWN };
      return;
    }
    let last: ServingStatus | undefined;
    while (!signal.aborted) {
      const status = await statusOf();
      if (status !== last) yield { status };
      last = status;
      await delay(WATCH_INTERVAL_MS, undefined, { signal, ref: false }).catch(() => undefined); // ended by the signal
    }
  }
  return (router) => {
    router.service(HealthService, {
      async check({ service }) {
        if (!names.has(service)) throw commonErrors.NOT_FOUND();
        return { status: await statusOf() };
      },
      watch,
      async list() {
        const status = await statusOf();
        return { statuses: Object.fromEntries([...names].map((name) => [name, { status }])) };
      },
    });
  };
}
