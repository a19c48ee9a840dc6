// `npm run dev -w console`: the console from its sources, reloaded when they change, before a system that runs already.
import { createServer } from 'vite';
import { bundleOptions } from './bundle-options.ts';

const gatewayUrl = process.env['GATEWAY_URL'] ?? 'http://127.0.0.1:3000';
const server = await createServer({
  ...bundleOptions,
  logLevel: 'info',
  server: { host: '127.0.0.1', proxy: { '^/strongroom\\.': gatewayUrl, '^/\\.well-known/': gatewayUrl } },
});
await server.listen();
server.printUrls();
