import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

// Beside each script and style the same packed; web/app.py sends that to browsers that can read it.
const packed: Plugin = {
  name: 'packed',
  writeBundle(options, bundle) {
    for (const [name, file] of Object.entries(bundle)) {
      if (!/\.(css|js)$/.test(name)) continue;
      const content = file.type === 'asset' ? file.source : file.code;
      writeFileSync(join(options.dir ?? '', `${name}.gz`), gzipSync(content, { level: 9 }));
    }
  },
};

export default defineConfig({
  plugins: [packed],
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
