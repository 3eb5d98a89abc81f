import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

/** Which folder of `src` may import which: the table of docs/architecture.md. */
const mayImport: Record<string, readonly string[]> = {
  core: [],
  storage: ['core'],
  transport: ['core'],
  collectives: ['core', 'transport'],
  backends: ['core'],
  engine: ['core', 'backends'],
  optimizers: ['core', 'backends', 'engine'],
  data: ['core', 'storage', 'backends'],
  preprocess: ['core', 'backends', 'data'],
  metrics: ['core', 'backends'],
  models: ['core', 'storage', 'backends'],
  training: ['core', 'storage', 'backends', 'engine', 'optimizers', 'data', 'preprocess', 'metrics', 'models'],
  distributed: [
    'core',
    'storage',
    'backends',
    'engine',
    'optimizers',
    'transport',
    'collectives',
    'models',
    'training',
  ],
  evaluation: ['core', 'storage', 'backends', 'engine', 'data', 'models', 'metrics'],
  tuning: ['core', 'storage', 'data', 'training', 'evaluation', 'distributed'],
  planning: ['core', 'backends', 'optimizers', 'data', 'models', 'training', 'transport', 'collectives', 'distributed'],
  inference: ['core', 'storage', 'backends', 'engine', 'data', 'preprocess', 'models'],
}

const root = fileURLToPath(new URL('..', import.meta.url))
const source = join(root, 'src')
const isEntry = (file: string) => !relative(source, file).includes('/')
const folderOf = (file: string) => relative(source, file).split('/')[0]!

function* filesBelow(folder: string): Generator<string> {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    if (statSync(path).isDirectory()) {
      if (name !== 'assembly') yield* filesBelow(path)
    } else if (name.endsWith('.ts')) yield path
  }
}

interface Import {
  file: string
  specifier: string
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '')
  const pattern = /(?:^|\n)\s*(?:import|export)\s(?:[^'"`;]*?\sfrom\s)?['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]/g
  return [...text.matchAll(pattern)].map((match) => ({ file, specifier: (match[1] ?? match[2])! }))
}

const files = [...filesBelow(source)]
const imports = files.flatMap(importsOf)
const name = (file: string) => relative(root, file)

describe('architecture', () => {
  it('reads the sources', () => {
    expect(files.length).toBeGreaterThan(20)
    expect(imports.length).toBeGreaterThan(20)
  })

  it('knows every folder', () => {
    const folders = new Set(files.filter((file) => !isEntry(file)).map(folderOf))
    for (const folder of folders) expect([...Object.keys(mayImport), 'cli', 'testing']).toContain(folder)
  })

  it('is a stack: every folder imports only from the folders below it', () => {
    const wrong = imports.flatMap(({ file, specifier }) => {
      if (!specifier.startsWith('.') || isEntry(file)) return []
      const from = folderOf(file)
      const target = resolve(dirname(file), specifier)
      if (isEntry(target)) return from === 'cli' ? [] : [`${name(file)} imports an entry point (${specifier})`]
      const to = folderOf(target)
      if (from === to || from === 'testing') return []
      if (from === 'cli') return [`${name(file)} imports ${to}; the command uses the public entry points`]
      return mayImport[from]!.includes(to) ? [] : [`${name(file)} imports ${to}, which is not below ${from}`]
    })
    expect(wrong).toEqual([])
  })

  it("crosses folders through the neighbour's index", () => {
    const wrong = imports.flatMap(({ file, specifier }) => {
      if (!specifier.startsWith('.') || isEntry(file)) return []
      const target = resolve(dirname(file), specifier)
      if (isEntry(target) || folderOf(file) === folderOf(target)) return []
      return /\/(index|node)\.js$/.test(specifier) ? [] : [`${name(file)} reaches into ${specifier}`]
    })
    expect(wrong).toEqual([])
  })

  it('loads tfjs backends from backends alone, and nothing of tfjs in the lowest layers', () => {
    const wrong = imports.flatMap(({ file, specifier }) => {
      if (!specifier.startsWith('@tensorflow/')) return []
      const folder = folderOf(file)
      if (specifier.startsWith('@tensorflow/tfjs-backend-') && folder !== 'backends')
        return [`${name(file)} imports ${specifier}`]
      return ['core', 'storage', 'transport', 'collectives'].includes(folder)
        ? [`${name(file)} imports ${specifier}`]
        : []
    })
    expect(wrong).toEqual([])
  })

  it('keeps Node out of what a browser loads', () => {
    const seen = new Set<string>()
    const wrong: string[] = []
    const visit = (file: string) => {
      if (seen.has(file)) return
      seen.add(file)
      for (const { specifier } of importsOf(file)) {
        if (specifier.startsWith('node:')) wrong.push(`${name(file)} imports ${specifier}`)
        if (specifier.startsWith('.')) visit(resolve(dirname(file), specifier.replace(/\.js$/, '.ts')))
      }
    }
    visit(join(source, 'index.ts'))
    expect(seen.size).toBeGreaterThan(20)
    expect(wrong).toEqual([])
  })
})
