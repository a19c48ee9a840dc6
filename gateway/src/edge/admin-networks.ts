import { BlockList, isIPv6 } from 'node:net';
import { Audience, Role } from '@strongroom/gen/strongroom/options/v1/policy_pb.ts';
import { commonErrors } from '@strongroom/platform/errors';
import type { EdgeMethod } from '../rest/route-table.ts';

const addressBits = { ipv4: 32, ipv6: 128 } as const;

/**
 * ADMIN_NETWORKS: what only administrators may do is asked for from there alone, whatever the token says (ASVS V8.4.2).
 * One more layer: role, second factor and revocation are the service's. None given, the address doesn't matter.
 */
export function createAdminNetworkCheck(
  networks: readonly string[],
): (match: EdgeMethod | undefined, address: string) => void {
  if (networks.length === 0) return () => undefined;
  const allowed = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = familyOf(address);
    allowed.addSubnet(address, bits === undefined ? addressBits[family] : Number(bits), family);
  }
  return (match, address) => {
    const access = match?.policy.access;
    const isForAdmins = access?.audience === Audience.ROLES && access.roles.every((role) => role === Role.ADMIN);
    if (isForAdmins && !allowed.check(address, familyOf(address))) throw commonErrors.FORBIDDEN();
  };
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}
