// Loaded before a process' own code: node --import @strongroom/platform/process/quick-imports services/auth/src/main.ts
//
// To find out whether a .js file is an ES module, Node 24 parses the `exports` of its package.json anew for each file of
// the package (getPackageScopeConfig of its package_json_reader copies fields that were to be parsed on demand). Drizzle
// loads a hundred files under 180 KB of package.json: half a second of a start. Its modules import each other by relative
// paths and are all of one kind, which is all that is said here; a process starts without this file, only later.
import { registerHooks } from 'node:module';

const folder = '/node_modules/drizzle-orm/';

registerHooks({
  resolve(specifier, context, nextResolve) {
    const { parentURL } = context;
    const isDrizzle = parentURL?.includes(folder) === true && parentURL.endsWith('.js');
    if (!isDrizzle || !specifier.startsWith('.')) return nextResolve(specifier, context);
    return { url: new URL(specifier, parentURL).href, format: 'module', shortCircuit: true };
  },
});
