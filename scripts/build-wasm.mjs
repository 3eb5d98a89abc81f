/**
 * Compiles src/backends/wasm/assembly into four modules, each an ES module that holds the binary as base64.
 *
 * Relaxed SIMD is a compile error where a runtime lacks it, and a module over a shared memory cannot take another, so
 * each of the four combinations is a binary of its own. Nothing is done when the sources have not changed.
 * @module
 */

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

const root = fileURLToPath(new URL('..', import.meta.url))
const source = 'src/backends/wasm/assembly'
const target = join(root, 'src/backends/wasm/generated')

const common = ['-O3', '--runtime', 'stub', '--noAssert', '--use', 'abort=', '--enable', 'simd', '--importMemory']
// A memory may start larger than that, and grow to the 4 GiB that 32-bit pointers reach.
const pages = ['--initialMemory', '2', '--maximumMemory', '65536']
const relaxed = ['--enable', 'relaxed-simd']
const shared = ['--enable', 'threads', '--sharedMemory']
const variants = {
  plain: [],
  relaxed,
  'plain-shared': shared,
  'relaxed-shared': [...relaxed, ...shared],
}

const hash = hashOfSources()
const hashFile = join(target, 'sources.sha256')
const upToDate =
  existsSync(hashFile) &&
  readFileSync(hashFile, 'utf8') === hash &&
  Object.keys(variants).every((name) => existsSync(join(target, `${name}.ts`)))
if (!upToDate) {
  mkdirSync(target, { recursive: true })
  for (const [name, flags] of Object.entries(variants)) await compile(name, flags)
  writeFileSync(hashFile, hash)
}

async function compile(name, flags) {
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
  if (error || !binary) throw new Error(`asc failed for ${name}:\n${stderr.toString()}`)
  const text = Buffer.from(binary).toString('base64')
  writeFileSync(join(target, `${name}.ts`), `// Built by scripts/build-wasm.mjs.\nexport default '${text}'\n`)
  console.log(`${name}: ${binary.length} bytes`)
}

function hashOfSources() {
  const sum = createHash('sha256').update(readFileSync(fileURLToPath(import.meta.url)))
  for (const name of readdirSync(join(root, source), { recursive: true }).sort())
    if (name.endsWith('.ts')) sum.update(name).update(readFileSync(join(root, source, name)))
  return sum.digest('hex')
}
