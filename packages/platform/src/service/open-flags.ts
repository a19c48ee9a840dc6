import { createFlagReader, type Flags } from '../flags/index.ts';
import type { Lifecycle } from '../process/index.ts';
import type { ServiceResources } from './open-service.ts';

/** The flags as a service other than admin knows them, kept up to date until it closes. */
export function openFlags(
  service: Pick<ServiceResources, 'bus' | 'logger' | 'metrics'>,
  lifecycle: Pick<Lifecycle, 'onClose'>,
): Flags {
  const flags = createFlagReader(service);
  flags.start();
  lifecycle.onClose(() => flags.stop());
  return flags;
}
