import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

/** Prints the address of every module that is loaded. */
const hooks = `data:text/javascript,${encodeURIComponent(`
  import { writeSync } from 'node:fs'
  export function load(url, context, next) { writeSync(1, url + '\\n'); return next(url, context) }
`)}`

/** Packages of which a process that imports `entry` loads modules. */
function packagesOf(entry: string): string[] {
  const program = `
    import { register } from 'node:module'
    register(${JSON.stringify(hooks)})
    await import(${JSON.stringify(entry)})`
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  const names = stdout.matchAll(/\/node_modules\/((?:@[^/\n]+\/)?[^/\n]+)\//g)
  return [...new Set([...names].map(([, name]) => name ?? ''))].sort()
}

test('an import loads tfjs and the reader of CSV, and no package that few need', () => {
  const packages = ['@tensorflow/tfjs-core', '@tensorflow/tfjs-layers', 'papaparse']
  expect(packagesOf('dcml')).toEqual(packages)
  expect(packagesOf('dcml/node').filter((name) => !packages.includes(name))).toEqual([])
})
