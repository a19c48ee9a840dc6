import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { Agent, buildConnector } from 'undici';

/** Where a webhook may not go: named without the address, which could tell what stands in our network. */
export class TargetRefusedError extends Error {
  override name = 'TargetRefusedError';
}

export interface WebhookTargets {
  /** Whether an endpoint may be registered for the address. What it resolves to is checked again at each connection. */
  isAllowedUrl(url: string): boolean;
  /** Connects to public addresses alone. */
  readonly dispatcher: Agent;
  close(): Promise<void>;
}

export interface WebhookTargetOptions {
  readonly timeoutMs: number;
  /** WEBHOOK_ALLOW_INSECURE_TARGETS: http and private addresses, for development and tests. */
  readonly allowInsecure: boolean;
}

const connectionsPerTarget = 4;
const keepAliveTimeoutMs = 4_000;
const responseBytesMax = 65_536;
const localNames = /(?:^|\.)(?:localhost|local|internal|intranet|home\.arpa|lan|onion|test|invalid)\.?$/i;

/**
 * SSRF (OWASP ASVS 5.0 V1.3.6): a name is checked by what it resolves to at the moment of connecting, and the socket by
 * whom it has reached, so that a name that changes its address in between (DNS rebinding) gains nothing.
 */
export function createWebhookTargets({ timeoutMs, allowInsecure }: WebhookTargetOptions): WebhookTargets {
  const connect = buildConnector({ timeout: timeoutMs, ...(allowInsecure ? {} : { lookup: publicLookup }) });
  const dispatcher = new Agent({
    connections: connectionsPerTarget,
    pipelining: 1,
    keepAliveTimeout: keepAliveTimeoutMs,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    maxResponseSize: responseBytesMax,
    connect: allowInsecure ? connect : onlyPublic(connect),
  });
  return {
    isAllowedUrl: (url) => isAllowedUrl(url, allowInsecure),
    dispatcher,
    close: () => dispatcher.destroy(),
  };
}

function isAllowedUrl(text: string, allowInsecure: boolean): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  if (url.username !== '' || url.password !== '' || url.hash !== '') return false;
  if (allowInsecure) return url.protocol === 'https:' || url.protocol === 'http:';
  if (url.protocol !== 'https:') return false;
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(host) !== 0) return isPublicAddress(host);
  // A name without a dot is resolved by search domains, which are ours.
  return host.includes('.') && !localNames.test(host);
}

/** Globally routable unicast, also behind the forms in which an IPv6 address carries an IPv4 one. */
export function isPublicAddress(text: string): boolean {
  if (isIP(text) === 0) return false;
  const address = ipaddr.process(text);
  if (address.range() !== 'unicast') return false;
  if (address instanceof ipaddr.IPv4) return !isReservedV4(address);
  // ::a.b.c.d, deprecated by RFC 4291, still connects to the IPv4 host on some systems; 2000::/3 alone is assigned.
  return address.parts[0] !== undefined && address.parts[0] >= 0x2000 && address.parts[0] <= 0x3fff;
}

/** IETF protocol assignments, benchmarks, 6to4 relays and the deprecated AMT range, whatever the library calls them. */
const reservedV4 = [
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
].map((range) => ipaddr.IPv4.parseCIDR(range));

function isReservedV4(address: ipaddr.IPv4): boolean {
  return reservedV4.some((range) => address.match(range));
}

/** Refuses the name when any of its addresses is not public: which of them is tried is not ours to choose. */
const publicLookup: LookupFunction = (hostname, options, callback) => {
  dnsLookup(hostname, { ...options, all: true }, (error, found) => {
    const addresses = found as LookupAddress[];
    if (error !== null) {
      callback(error, []);
    } else if (addresses.length === 0 || addresses.some(({ address }) => !isPublicAddress(address))) {
      callback(new TargetRefusedError('The name resolves to an address that is not public.'), []);
    } else if (options.all === true) {
      callback(null, addresses);
    } else {
      callback(null, addresses[0]?.address ?? '', addresses[0]?.family);
    }
  });
};

/** Literal addresses never pass a lookup, and the connected socket is asked where it has arrived. */
function onlyPublic(connect: buildConnector.connector): buildConnector.connector {
  return (options, callback) => {
    const host = options.hostname.replace(/^\[(.*)\]$/, '$1');
    if (options.protocol !== 'https:' || (isIP(host) !== 0 && !isPublicAddress(host))) {
      callback(new TargetRefusedError('The address is not public.'), null);
      return;
    }
    connect(options, (...[error, socket]) => {
      if (error !== null) {
        callback(error, null);
      } else if (!isPublicAddress(socket.remoteAddress ?? '')) {
        socket.destroy();
        callback(new TargetRefusedError('The connection arrived at an address that is not public.'), null);
      } else {
        callback(null, socket);
      }
    });
  };
}
