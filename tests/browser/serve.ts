/** Serves the example and the page of checks, with the example's own settings of Vite. @module */

import { cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build, createServer, preview } from 'vite'

/** A server under way. */
export interface Site {
  /** Ends in a slash. */
  url: string
  close(): Promise<void>
}

const path = (relative: string) => fileURLToPath(new URL(`../../${relative}`, import.meta.url))
const outDir = path('.cache/browser-tests/site')
const project = path('.cache/browser-tests/project')

/** Addresses of the two pages below a built site's. */
export const pages = { example: 'examples/browser/', checks: 'tests/browser/page/' }

/** Both pages lie below the root of the repository. */
const common = { root: path('.'), configFile: path(`${pages.example}vite.config.ts`), logLevel: 'warn' } as const

/** Bundles both pages. */
export async function buildPages(): Promise<void> {
  const input = Object.values(pages).map((page) => path(`${page}index.html`))
  await build({ ...common, build: { outDir, reportCompressedSize: false, rollupOptions: { input } } })
}

/** Serves the bundled pages. */
export async function serveBuilt({ isolated }: { isolated: boolean }): Promise<Site> {
  const server = await preview({
    ...common,
    build: { outDir },
    preview: { port: 0, host: '127.0.0.1' },
    plugins: isolated ? [] : [withoutHeaders],
  })
  return { url: server.resolvedUrls!.local[0]!, close: () => server.close() }
}

/**
 * Serves the example's sources for development, from a project that has dcml installed in node_modules: there Vite
 * treats a package in its own way.
 */
export async function serveInstalled(): Promise<Site> {
  await rm(project, { recursive: true, force: true })
  const installed = `${project}/node_modules/dcml`
  await mkdir(installed, { recursive: true })
  await cp(path(pages.example), project, { recursive: true })
  await cp(path('dist'), `${installed}/dist`, { recursive: true })
  await cp(path('package.json'), `${installed}/package.json`)
  await writeFile(`${project}/package.json`, JSON.stringify({ name: 'project', type: 'module' }))
  const server = await createServer({
    root: project,
    logLevel: 'warn',
    // What is not copied is found in the node_modules of the repository.
    server: { port: 0, host: '127.0.0.1', fs: { allow: [path('.')] } },
  })
  await server.listen()
  return { url: server.resolvedUrls!.local[0]!, close: () => server.close() }
}

/** Takes back the headers that isolate a page. */
const withoutHeaders = {
  name: 'without-headers',
  config: () => ({ preview: { headers: { 'Cross-Origin-Opener-Policy': '', 'Cross-Origin-Embedder-Policy': '' } } }),
}
