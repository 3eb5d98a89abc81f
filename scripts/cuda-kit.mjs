#!/usr/bin/env node
/**
 * Packs all that it takes to test and measure the backend cuda on a machine that has a GPU and little else: Node, the
 * build, the tests and the packages they need, for the platform that it is packed on.
 *
 *   npm run cuda:kit [-- FILE]    # .cache/cuda-kit.tar.gz
 *
 * There: tar -xzf cuda-kit.tar.gz && cuda-kit/run.sh [STAGE...], as scripts/test-cuda.mjs has them.
 */

import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

/** What may be carried to such a machine. */
const MAX_BYTES = 60 * 2 ** 20

/** Of the repository. */
const parts = ['package.json', 'tsconfig.json', 'vitest.config.ts', 'dist', 'scripts', 'src', 'tests']
/** What is needed beside the dependencies of dcml. */
const tools = ['@tensorflow/tfjs-core', '@tensorflow/tfjs-layers', 'esbuild', 'jasmine', 'koffi', 'vitest']
/** Of packages: sources of what is compiled, types, texts, forms for browsers; esbuild's second copy of its program. */
const isLeftOut =
  /\.(map|d\.[cm]?ts|md)$|\/tf-[\w-]+\.(es2017|fesm|min)[\w.]*\.js$|\/koffi\/(vendor|doc)$|\/esbuild\/bin$/

const root = fileURLToPath(new URL('..', import.meta.url))
const { positionals } = parseArgs({ allowPositionals: true })
const file = resolve(positionals[0] ?? join(root, '.cache/cuda-kit.tar.gz'))
const kit = join(root, '.cache/cuda-kit')

if (process.platform !== 'linux' || process.config.variables.node_shared === true)
  throw new Error('Pack it on Linux, with a Node that is one file, as nodejs.org and the npm package node have it.')

rmSync(kit, { recursive: true, force: true })
mkdirSync(join(kit, 'bin'), { recursive: true })
const node = join(kit, 'bin/node')
copyFileSync(process.execPath, node)
// Its symbols, where the tool is there: 13 of 99 MB.
spawnSync('strip', [node])
for (const part of parts) cpSync(join(root, part), join(kit, part), { recursive: true })
const packages = packagesNeeded()
for (const path of packages)
  cpSync(join(root, path), join(kit, path), {
    recursive: true,
    // Packages inside of it are listed by themselves.
    filter: (source) => !isLeftOut.test(source) && !source.slice(join(root, path).length).includes('/node_modules'),
  })
writeFileSync(join(kit, 'commit'), spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root }).stdout)
writeFileSync(
  join(kit, 'run.sh'),
  `#!/bin/sh
# Tests the backend cuda on the GPU of this machine: run.sh [STAGE...]; run.sh --list names the stages.
# Logs and summary.json come into $OUT, or into ./out.
out=$(mkdir -p "\${OUT:-out}" && cd "\${OUT:-out}" && pwd)
cd "$(dirname "$0")" && exec ./bin/node scripts/test-cuda.mjs --out "$out" "$@"
`,
)
chmodSync(join(kit, 'run.sh'), 0o755)

mkdirSync(dirname(file), { recursive: true })
const tar = spawnSync('tar', ['-I', 'gzip -9', '-cf', file, '-C', dirname(kit), 'cuda-kit'], { encoding: 'utf8' })
if (tar.status !== 0) throw new Error(`tar failed: ${tar.error?.message ?? tar.stderr}`)
const mebibytes = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`
const { size } = statSync(file)
console.log(
  `${file}: ${mebibytes(size)}, with Node ${process.version} (${mebibytes(statSync(node).size)} unpacked) and ${packages.length} packages`,
)
if (size > MAX_BYTES) throw new Error(`It is larger than ${mebibytes(MAX_BYTES)}.`)

/** Folders of the packages, and of all that they need, as far as they are installed here. */
function packagesNeeded() {
  const read = (path) => JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8'))
  const needed = new Set()
  const add = (name, from) => {
    // As Node looks for it: in the package itself, then further out.
    let folder = from
    while (folder && !existsSync(join(root, folder, 'node_modules', name)))
      folder = folder.replace(/(^|\/)node_modules\/(?!.*node_modules\/).*$/, '')
    const path = join(folder, 'node_modules', name)
    if (needed.has(path) || !existsSync(join(root, path))) return
    needed.add(path)
    const { dependencies, optionalDependencies } = read(path)
    for (const other of Object.keys({ ...dependencies, ...optionalDependencies })) add(other, path)
  }
  for (const name of [...Object.keys(read('').dependencies), ...tools]) add(name, '')
  return [...needed].sort()
}
