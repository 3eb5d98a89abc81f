/**
 * Compiles the folders named assembly into modules, each an ES module that holds the binary as base64.
 *
 * Relaxed SIMD is a compile error where a runtime lacks it, and a module over a shared memory cannot take another, so
 * each combination is a binary of its own. Nothing is done when the sources have not changed.
 * @module
 */

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

const root = fileURLToPath(new URL('..', import.meta.url))

const common = ['-O3', '--runtime', 'stub', '--noAssert', '--use', 'abort=', '--enable', 'simd', '--importMemory']
// A memory may start larger than that, and grow to the 4 GiB that 32-bit pointers reach.
const pages = ['--initialMemory', '2', '--maximumMemory', '65536']
const relaxed = ['--enable', 'relaxed-simd']
const shared = ['--enable', 'threads', '--sharedMemory']
const builds = [
  {
    folder: 'src/backends/wasm',
    variants: { plain: [], relaxed, 'plain-shared': shared, 'relaxed-shared': [...relaxed, ...shared] },
  },
  // The sums of collectives.
  { folder: 'src/transport', variants: { plain: [], 'plain-shared': shared } },
]

for (const { folder, variants } of builds) await build(folder, variants)

async function build(folder, variants) {
  const source = join(folder, 'assembly')
  const target = join(root, folder, 'generated')
  const hash = hashOfSources(source)
  const hashFile = join(target, 'sources.sha256')
  const upToDate =
    existsSync(hashFile) &&
    readFileSync(hashFile, 'utf8') === hash &&
    Object.keys(variants).every((name) => existsSync(join(target, `${name}.ts`)))
  if (upToDate) return
  mkdirSync(target, { recursive: true })
  for (const [name, flags] of Object.entries(variants)) {
    const binary = await compile(source, flags)
    const text = Buffer.from(binary).toString('base64')
    writeFileSync(join(target, `${name}.ts`), `// Built by scripts/build-wasm.mjs.\nexport default '${text}'\n`)
    console.log(`${folder} ${name}: ${binary.length} bytes`)
  }
  writeFileSync(hashFile, hash)
}

async function compile(source, flags) {
  let binary
  const { error, stderr } = await asc.main(
    [join(source, 'index.ts'), ...common, ...pages, ...flags, '-o', 'out.wasm'],
    {
      readFile: (path, base) => {
        const file = join(base, path)
        return existsSync(file) ? readFileSync(file, 'utf8') : null
      },
      writeFile: (_, contents) => {
        binary = contents
      },
      listFiles: () => [],
    },
  )
  if (error || !binary) throw new Error(`asc failed for ${source} ${flags}:\n${stderr.toString()}`)
  return binary
}

function hashOfSources(source) {
  const sum = createHash('sha256').update(readFileSync(fileURLToPath(import.meta.url)))
  for (const name of readdirSync(join(root, source), { recursive: true }).sort())
    if (name.endsWith('.ts')) sum.update(name).update(readFileSync(join(root, source, name)))
  return sum.digest('hex')
}
