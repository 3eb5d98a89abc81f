import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { cublasPrototypes, cublasValues } from '../../src/backends/cuda/ffi/cublas.js'
import { driverPrototypes, driverValues } from '../../src/backends/cuda/ffi/driver.js'
import { loadLibrary } from '../../src/backends/cuda/ffi/libraries.js'
import { ncclPrototypes, ncclValues } from '../../src/backends/cuda/ffi/nccl.js'
import { nvrtcPrototypes, nvrtcValues } from '../../src/backends/cuda/ffi/nvrtc.js'
import { type CudaLibraryName, folders, thisMachine } from '../../src/backends/cuda/ffi/places.js'
import { loadKoffi, type NativeLibrary } from '../../src/core/index.js'

/** What dcml says of NVIDIA's libraries, which a machine without a GPU believes: a wrong width crashes on the first one. */
interface Declared {
  library: CudaLibraryName
  prototypes: Readonly<Record<string, string>>
  values: Readonly<Record<string, number>>
  header: string
  /** What the header includes; read as C++, while the header itself is read as C: that has no overloads. */
  before: readonly string[]
}

const declared: readonly Declared[] = [
  { library: 'driver', prototypes: driverPrototypes, values: driverValues, header: 'cuda.h', before: [] },
  { library: 'nvrtc', prototypes: nvrtcPrototypes, values: nvrtcValues, header: 'nvrtc.h', before: [] },
  { library: 'nccl', prototypes: ncclPrototypes, values: ncclValues, header: 'nccl.h', before: ['cuda_runtime.h'] },
  {
    library: 'cublas',
    prototypes: cublasPrototypes,
    values: cublasValues,
    header: 'cublas_api.h',
    before: ['driver_types.h', 'cuComplex.h', 'cuda_fp16.h', 'cuda_bf16.h', 'library_types.h'],
  },
]

/** Letters for what a parameter may be in the header, by its type for koffi. */
const kinds: Readonly<Record<string, string>> = {
  'void *': 'p',
  'const void *': 'p',
  'const char *': 'p',
  'const char **': 'p',
  // A handle, which is a pointer, or an address of the GPU, which is an integer.
  uintptr_t: 'h',
  int: 'i',
  uint: 'u',
  size_t: 'U',
  uint64_t: 'U',
  int64_t: 'I',
  // By value.
  ncclUniqueId: 's',
}

const kindsOf = (prototype: string): string =>
  prototype
    .split(', ')
    .map((parameter) => {
      const [, type] = /^(.*?) ?\w+$/.exec(parameter)!
      const kind = kinds[type!]
      if (kind === undefined) throw new Error(`The test does not know the type ${type}.`)
      return kind
    })
    .join('')

const checker = `
#include <type_traits>
#define CHECK(name, kinds) static_assert(agrees(name, kinds), #name)
template <class T> constexpr bool isA(char kind) {
  using Value = typename std::conditional_t<std::is_enum_v<T>, std::underlying_type<T>, std::enable_if<true, T>>::type;
  constexpr bool isInteger = std::is_integral_v<Value>, isSigned = std::is_signed_v<Value> || std::is_enum_v<T>;
  if (kind == 's') return std::is_class_v<T>;
  if (kind == 'p') return std::is_pointer_v<T>;
  if (kind == 'h') return std::is_pointer_v<T> || (isInteger && !isSigned && sizeof(T) == 8);
  bool isWide = kind == 'U' || kind == 'I';
  return isInteger && sizeof(T) == (isWide ? 8 : 4) && isSigned == (kind == 'i' || kind == 'I');
}
template <class R, class... T> constexpr bool agrees(R (*)(T...), const char *kinds) {
  int i = 0;
  return sizeof(R) == 4 && (true && ... && isA<T>(kinds[i++])) && kinds[i] == 0;
}
`

/** Folders with headers of a toolkit, or beside libraries of Python wheels. */
function includes(library: CudaLibraryName): string[] {
  const machine = thisMachine()
  const local = machine.list('/usr/local').filter((name) => name.startsWith('cuda'))
  const beside = folders(library, machine).filter(Boolean)
  return [
    ...beside.map((folder) => join(dirname(folder), 'include')),
    ...local.map((name) => `/usr/local/${name}/include`),
  ]
}

describe.each(declared)('functions of the library $library', ({ library, prototypes, values, header, before }) => {
  const folder = includes(library).find((place) => existsSync(join(place, header)))
  const hasCompiler = spawnSync('g++', ['--version']).status === 0
  if (!folder || !hasCompiler) console.log(`Skipped: comparing with ${header}. There is no ${folder ? 'g++' : header}.`)

  it.skipIf(!folder || !hasCompiler)('have the parameters and values of its header', () => {
    const source = [
      ...before.map((name) => `#include <${name}>`),
      checker,
      '#include <stddef.h>\n#include <stdint.h>\n#include <stdlib.h>',
      `#undef __cplusplus\nextern "C" {\n#include <${header}>\n}`,
      ...Object.entries(prototypes).map(([name, prototype]) => `CHECK(${name}, "${kindsOf(prototype)}");`),
      ...Object.entries(values).map(([name, value]) => `static_assert(${name} == ${value}, "${name}");`),
    ].join('\n')
    const search = [folder!, ...includes(library)].map((place) => `-I${place}`)
    const options = ['-std=c++17', '-fsyntax-only', '-w', ...search, '-x', 'c++', '-']
    const { stderr } = spawnSync('g++', options, { input: source, encoding: 'utf8' })
    expect(stderr.split('\n').filter((line) => line.includes('error'))).toEqual([])
  })
})

const loaded = await loadKoffi()

/** The library of this machine, or why there is none. */
function find(name: CudaLibraryName): { library: NativeLibrary } | { reason: string } {
  if ('reason' in loaded) return loaded
  try {
    return loadLibrary(loaded.koffi, name, thisMachine())
  } catch (error) {
    return { reason: (error as Error).message }
  }
}

describe.each(declared)('the library $library of this machine', ({ library: name, prototypes }) => {
  const found = find(name)
  if ('reason' in found) console.log(`Skipped: functions of the library ${name}. ${found.reason}`)

  it.skipIf('reason' in found)('has every function that dcml calls', () => {
    const { library } = found as { library: NativeLibrary }
    const absent = Object.keys(prototypes).filter((name) => {
      try {
        library.symbol(name)
        return false
      } catch {
        return true
      }
    })
    expect(absent).toEqual([])
  })
})
