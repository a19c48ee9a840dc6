import type { InlineConfig } from 'vite';
import { consoleFolder } from './sources.ts';

/** How vite bundles the console. Its policy lets it load its own files and nothing inline, so nothing is inlined. */
export const bundleOptions = {
  configFile: false,
  root: consoleFolder,
  base: '/console/',
  logLevel: 'error',
  resolve: {
    // npm may leave another React beside the one that the console names.
    dedupe: ['react', 'react-dom', '@tanstack/react-query'],
  },
  build: {
    target: 'es2024',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    emptyOutDir: true,
    reportCompressedSize: false,
  },
} as const satisfies InlineConfig;
