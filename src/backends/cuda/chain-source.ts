/**
 * A joined call as a kernel of CUDA C.
 *
 * The source says what the calls are and how they hang together; lengths, strides and factors are arguments. So steps of
 * other shapes share a kernel, and equal chains of one step do.
 * @module
 */

import { type Axis, elementwiseOf, isFull, MAX_READS, placeKey, readKey } from '../elementwise-calls.js'
import { unaryCodes } from '../wasm/exports.js'
import type { Place, RecordedCall } from '../wasm/program/recorder.js'
import { bfloat16Source } from './kernels/bfloat16.js'
import { elementwiseFunctions, elementwiseOptions, types } from './kernels/elementwise-functions.js'
import { defineModule, type KernelModule } from './kernels/kernel-module.js'
import { randomFunctions } from './kernels/random.js'

/** A kernel, and the arguments of one call of it. */
export interface Chain {
  /** Made of the text: equal chains have one name. */
  readonly name: string
  readonly text: string
  /** The letters of `CallForm`. */
  readonly arguments: string
  readonly values: readonly number[]
  /** Elements. */
  readonly n: number
  /** Results of which it writes a copy as bfloat16 as well: where the result goes, and which argument says where the copy. */
  readonly copies: readonly { readonly pointer: number; readonly argument: number }[]
}

type Type = (typeof types)[keyof typeof types]

/** A number in a register. */
interface Value {
  readonly text: string
  readonly type: Type
}

/** What a thread takes at once where addresses allow. */
const WIDTH = 4

/** The kernels of chains as one module. */
export const chainModule = (texts: readonly string[]): KernelModule =>
  defineModule(
    'chains',
    `${elementwiseFunctions}${randomFunctions}${bfloat16Source}${packs}${texts.join('')}`,
    elementwiseOptions,
  )

/**
 * Writes the kernel of a joined call.
 *
 * @param address - Where a place is on the GPU.
 * @param cellsOf - Addresses of the numbers that a part finds in memory when it runs, by argument.
 * @param isCopied - Whether a place gets a copy as bfloat16 as well.
 */
export function writeChain(
  { parts = [], places }: Pick<RecordedCall, 'parts' | 'places'>,
  address: (place: Place) => number,
  cellsOf: (part: RecordedCall) => ReadonlyMap<number, number> = () => new Map(),
  isCopied: (place: Place) => boolean = () => false,
): Chain {
  const { n } = elementwiseOf(parts[0]!)!
  const list = new ArgumentList()
  const body: string[] = []
  const loads: string[] = []
  const stores: string[] = []
  const copies: { pointer: number; argument: number }[] = []
  let isWide = true
  /** By place, and for what is read in another way than element by element by that as well. */
  const values = new Map<string, Value>()

  const load = (place: Place, axes: readonly Axis[], type: Type): Value => {
    const x = `x${loads.length}`
    const pointer = list.add('r', `const ${type} *`, address(place))
    if (isFull(axes)) {
      loads.push(`Pack<${type}, width> ${x} = loaded<width>(${pointer} + i);`)
      isWide &&= isAligned(address(place), type)
    } else {
      const { length, stride } = axes.at(-1)!
      // What is taken at once must lie along the last axis.
      isWide &&= axes.length === 1 || length % WIDTH === 0
      const step = stride === 0 || stride === 1 ? String(stride) : list.add('n', 'int ', stride)
      loads.push(`Pack<${type}, width> ${x} = gathered<width>(${pointer}${placeText(axes, list, step)}, ${step});`)
    }
    return { text: `${x}.at[k]`, type }
  }
  const read = (part: RecordedCall, index: number, wanted: Type): Value => {
    const { argument, axes } = elementwiseOf(part)!.operands[index]!
    const place = part.places.get(argument)!
    const key = isFull(axes) ? placeKey(place) : readKey(place, axes)
    let value = values.get(key)
    if (!value) {
      value = load(place, axes, wanted)
      values.set(key, value)
    }
    return value
  }

  /** Random numbers, of one block for four elements of a row where they begin at a lane 0. */
  const draw = (part: RecordedCall): Value => {
    const x = `x${loads.length}`
    const number = (argument: number) => part.numbers.get(argument)!
    const whole = (argument: number) => list.add('n', 'int ', number(argument))
    const cells = cellsOf(part)
    const late = (argument: number) =>
      cells.has(argument) ? `*${list.add('r', 'const int *', cells.get(argument)!)}` : whole(argument)
    const of = [whole(2), list.add('d', 'double ', number(4)), whole(5), late(6), late(7), whole(8)]
    loads.push(`Pack<float, width> ${x} = drawn<width>(${number(3)}, i, ${of.join(', ')});`)
    isWide &&= number(2) % WIDTH === 0
    return { text: `${x}.at[k]`, type: 'float' }
  }

  parts.forEach((part, i) => {
    const result =
      part.name === 'philoxFill' ? draw(part) : expressionOf(part, (index, wanted) => read(part, index, wanted), list)
    body.push(`${result.type} v${i} = ${result.text};`)
    const { out } = elementwiseOf(part)!
    values.set(placeKey(part.places.get(out.argument)!), { text: `v${i}`, type: result.type })
  })
  for (const [argument, place] of places) {
    if (argument < MAX_READS) continue
    const { text, type } = values.get(placeKey(place))!
    const y = `y${argument}`
    const pointer = list.add('w', `${type} *`, address(place))
    loads.push(`Pack<${type}, width> ${y};`)
    body.push(`${y}.at[k] = ${text};`)
    stores.push(`stored(${pointer} + i, ${y});`)
    isWide &&= isAligned(address(place), type)
    if (type !== 'float' || !isCopied(place)) continue
    copies.push({ pointer: address(place), argument: list.values.length })
    stores.push(`stored(${list.add('w', 'bfloat16 *', 0)} + i, roundedOf(${y}));`)
  }
  const lines = (indent: string, all: readonly string[]) => all.map((line) => `${indent}${line}\n`).join('')
  const text = (name: string) => `
template <int width> INLINE void ${name}_at(unsigned i, ${list.parameters}) {
${lines('  ', loads)}#pragma unroll
  for (int k = 0; k < width; k++) {
${lines('    ', body)}  }
${lines('  ', stores)}}
KERNEL ${name}(${list.parameters}, int n, int isWide) {
  CHAIN(${WIDTH}, ${name}_at, ${list.names})
}
`
  const name = `chain_${hashOf(text(''))}`
  return {
    name,
    text: text(name),
    arguments: `${list.kinds}nn`,
    values: [...list.values, n, isWide ? 1 : 0],
    n,
    copies,
  }
}

/** The arguments of a kernel, as they are found. */
class ArgumentList {
  readonly values: number[] = []
  readonly #declared: string[] = []
  kinds = ''

  /** @returns The name of the new argument. */
  add(kind: 'r' | 'w' | 'n' | 'f' | 'd', type: string, value: number): string {
    const name = `a${this.values.length}`
    this.#declared.push(`${type}${name}`)
    this.values.push(value)
    this.kinds += kind
    return name
  }

  get parameters(): string {
    return this.#declared.join(', ')
  }

  get names(): string {
    return this.values.map((_, i) => `a${i}`).join(', ')
  }
}

/** Where an operand's element for element i lies, as ` + ...`; nothing where it is the first. */
function placeText(axes: readonly Axis[], list: ArgumentList, lastStep: string): string {
  const terms: string[] = []
  let rest = 'i'
  for (let axis = axes.length - 1; axis >= 0; axis--) {
    const { stride } = axes[axis]!
    if (axes.slice(0, axis + 1).every((each) => each.stride === 0)) break
    const length = axis > 0 ? `(unsigned)${list.add('n', 'int ', axes[axis]!.length)}` : ''
    if (stride !== 0) {
      const step = axis === axes.length - 1 ? lastStep : stride === 1 ? '1' : list.add('n', 'int ', stride)
      terms.push(`${axis > 0 ? `(int)(${rest} % ${length})` : `(int)(${rest})`}${step === '1' ? '' : ` * ${step}`}`)
    }
    if (axis > 0) rest = rest === 'i' ? `i / ${length}` : `(${rest}) / ${length}`
  }
  return terms.map((term) => ` + ${term}`).join('')
}

/** What a call makes of its operands. The codes of functions are in the text, factors are arguments. */
function expressionOf(call: RecordedCall, read: (index: number, type: Type) => Value, list: ArgumentList): Value {
  const number = (argument: number) => call.numbers.get(argument)!
  const factor = (argument: number) => list.add('f', 'float ', number(argument))
  /** An operand as the type that the kernel by itself takes it for. */
  const operand = (index: number, type: Type): string => {
    const value = read(index, type)
    return value.type === type ? value.text : `bitsAs<${type}>(${value.text})`
  }
  switch (call.name) {
    case 'unary': {
      const code = number(0)
      const [alpha, beta] = takesFactors.has(code) ? [factor(4), factor(5)] : ['0', '0']
      return { text: `unaryOf(${code}, ${operand(0, 'float')}, ${alpha}, ${beta})`, type: 'float' }
    }
    case 'classify':
      return { text: `classOf(${number(0)}, ${operand(0, 'float')})`, type: 'u8' }
    case 'logicalNot':
      return { text: `!${operand(0, 'u8')}`, type: 'u8' }
    case 'binary':
    case 'binaryStrided': {
      const type = typeOf(number(1))
      return { text: `binaryOf(${number(0)}, ${operand(0, type)}, ${operand(1, type)})`, type }
    }
    case 'compare':
    case 'compareStrided': {
      const type = typeOf(number(1))
      return { text: `compareOf<${type}>(${number(0)}, ${operand(0, type)}, ${operand(1, type)})`, type: 'u8' }
    }
    case 'select': {
      const type = read(1, number(6) === 1 ? 'u8' : 'float').type
      return { text: `${operand(0, 'u8')} ? ${operand(1, type)} : ${operand(2, type)}`, type }
    }
    case 'fill': {
      const type = typeOf(number(0))
      return { text: type === 'float' ? factor(3) : `(${type})${list.add('n', 'int ', number(3))}`, type }
    }
    case 'cast': {
      const [from, to] = [typeOf(number(0)), typeOf(number(1))]
      return { text: `converted(+${operand(0, from)}, (${to})0)`, type: to }
    }
    case 'addInto':
      return { text: `${operand(1, 'float')} + ${factor(3)} * ${operand(0, 'float')}`, type: 'float' }
    case 'copyRows':
      return read(0, 'float')
    case 'stridedCopy':
      return read(0, number(2) === 1 ? 'u8' : 'float')
    default:
      throw new Error(`The kernel ${call.name} is no part of a chain.`)
  }
}

const takesFactors: ReadonlySet<number> = new Set([
  unaryCodes.leakyRelu,
  unaryCodes.step,
  unaryCodes.clip,
  unaryCodes.affine,
])

const typeOf = (code: number): Type => types[code as keyof typeof types]

const isAligned = (address: number, type: Type): boolean =>
  type === 'u8' ? address % WIDTH === 0 : address % (4 * WIDTH) === 0

function hashOf(text: string): string {
  const { createHash } = process.getBuiltinModule('node:crypto')
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

/** Elements side by side, in one load and one store. */
const packs = `
template <class T, int width> struct alignas(width * sizeof(T)) Pack { T at[width]; };
template <int width, class T> INLINE Pack<T, width> loaded(const T *from) {
  return *reinterpret_cast<const Pack<T, width> *>(from);
}
template <int width, class T> INLINE void stored(T *to, const Pack<T, width> &values) {
  *reinterpret_cast<Pack<T, width> *>(to) = values;
}
template <int width> INLINE Pack<bfloat16, width> roundedOf(const Pack<float, width> &values) {
  Pack<bfloat16, width> rounded;
#pragma unroll
  for (int k = 0; k < width; k++) rounded.at[k] = toBfloat16(values.at[k]);
  return rounded;
}
template <int width, class T> INLINE Pack<T, width> gathered(const T *from, int step) {
  if (step == 1 && (unsigned long long)from % sizeof(Pack<T, width>) == 0) return loaded<width>(from);
  Pack<T, width> values;
#pragma unroll
  for (int k = 0; k < width; k++) values.at[k] = from[k * step];
  return values;
}
template <int width>
INLINE Pack<float, width> drawn(int kind, unsigned i, int rowSize, double rate, int seed, int step, int firstRow,
                                int stream) {
  unsigned row = i / (unsigned)rowSize, column = i - row * rowSize;
  unsigned words[4] = {column / 4, firstRow + row, (unsigned)step, (unsigned)stream};
  philox(words, seed, 0xffffffffu);
  Pack<float, width> values;
#pragma unroll
  for (int k = 0; k < width; k++) values.at[k] = drawOf(kind, words, width == 1 ? column % 4 : k, rate);
  return values;
}
template <class T> INLINE T bitsAs(float x);
template <> INLINE int bitsAs<int>(float x) { return __float_as_int(x); }
template <class T> INLINE T bitsAs(int x);
template <> INLINE float bitsAs<float>(int x) { return __int_as_float(x); }
// As many elements at once as can be, then the others one by one.
#define CHAIN(WIDTH, AT, ...) \\
  unsigned wide = isWide ? (unsigned)n / WIDTH : 0, thread = blockIdx.x * blockDim.x + threadIdx.x; \\
  EACH(i, wide) AT<WIDTH>(i * WIDTH, __VA_ARGS__); \\
  for (unsigned i = wide * WIDTH + thread; i < (unsigned)n; i += gridDim.x * blockDim.x) AT<1>(i, __VA_ARGS__);
`
