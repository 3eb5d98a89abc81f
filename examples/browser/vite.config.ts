/** How Vite serves and bundles the page. @module */

import { dcml } from 'dcml/vite'
import { defineConfig } from 'vite'

export default defineConfig({
  plugins: [dcml()],
  build: { target: 'es2022', outDir: '../../.cache/browser', emptyOutDir: true, chunkSizeWarningLimit: 2000 },
})
