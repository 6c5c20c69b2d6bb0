import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const source = name => fileURLToPath(new URL(`./src/${name}`, import.meta.url));

// Modules of the packages that are replaced by leaner ones of ours.
const replaced = [
  [/\/monaco-graphql\/esm\/monaco-editor\.js$/, source('monaco.js')],
  [/\/@graphiql\/react\/dist\/utility\/jsonc\.js$/, source('jsonc.js')],
];

const replaceModules = {
  name: 'replace-modules',
  enforce: 'pre',
  async resolveId(id, importer, options) {
    const found = await this.resolve(id, importer, { ...options, skipSelf: true });
    const match = found && replaced.find(([path]) => path.test(found.id));
    return match ? match[1] : found;
  },
};

// Everything is served by Caregraph itself: no remote origin, no inline script, no source maps.
export default defineConfig({
  base: '/',
  plugins: [replaceModules],
  resolve: { alias: [{ find: /^monaco-editor$/, replacement: source('monaco.js') }] },
  build: {
    outDir: '../dist',
    emptyOutDir: true,
    assetsDir: 'explorer', // URLs are /explorer/<name>-<hash>.<ext>
    target: 'es2022',
    sourcemap: false,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 5000, // kB; the code editor is large and loaded on its own
    license: { fileName: 'explorer/licenses.md' },
    rolldownOptions: {
      onLog(level, log, handler) {
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') handler(level, log); // "use client" means nothing here
      },
    },
  },
  worker: { format: 'es', plugins: () => [] },
});
