import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here('.'),
  base: './',
  publicDir: here('public'),
  build: {
    outDir: here('../static/dist'),
    emptyOutDir: true,
    manifest: 'manifest.json',
    // The pages' policy allows fonts and images from data:, but files are cached better and are easier to read.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: {
        theme: here('src/theme.ts'),
        app: here('src/app.ts'),
        diagram: here('src/diagram.ts'),
      },
    },
  },
});
