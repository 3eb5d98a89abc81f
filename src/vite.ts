/** What a page with dcml needs of Vite, as a plugin. @module */

/** Without them a browser lets threads share no memory, which `DataParallel` needs. */
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
}

/** What dcml imports, which Vite bundles ahead for development only where it is told to. */
const imported = [
  '@tensorflow/tfjs-core',
  '@tensorflow/tfjs-layers',
  'dcml > @tensorflow/tfjs-backend-cpu',
  'dcml > @tensorflow/tfjs-backend-webgl',
  'dcml > papaparse',
]

/** The part of Vite's plugins that `dcml` fills. */
export interface DcmlVitePlugin {
  name: string
  /** The settings that Vite merges into the user's. */
  config(): {
    server?: { headers: Record<string, string> }
    preview?: { headers: Record<string, string> }
    optimizeDeps: { exclude: string[]; include: string[] }
    worker: { format: 'es' }
  }
}

/**
 * Makes Vite find the worker of dcml, and isolates the pages that it serves.
 *
 * The server that a built page is published on must send the two headers itself.
 *
 * @param options - `isolate`: send the headers for cross-origin isolation, default true.
 * @example
 * // vite.config.js
 * import { dcml } from 'dcml/vite'
 * export default { plugins: [dcml()] }
 */
export function dcml({ isolate = true }: { isolate?: boolean } = {}): DcmlVitePlugin {
  return {
    name: 'dcml',
    config: () => ({
      ...(isolate ? { server: { headers }, preview: { headers } } : {}),
      // Bundled ahead, dcml would lose the way to its worker's file.
      optimizeDeps: { exclude: ['dcml'], include: imported },
      // The worker loads only the kernels that suit the browser, which takes more than one file.
      worker: { format: 'es' },
    }),
  }
}
