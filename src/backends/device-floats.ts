/**
 * Long-lived float32 ranges in the memory of a backend of dcml's own, and tensors that alias parts of them.
 *
 * Parameters, gradients and optimizer slots live in such ranges, so that an optimizer updates a model's variables in
 * place and in one call.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import { describe, ShapeError, StateError, sizeOf } from '../core/index.js'
import {
  accessTo,
  activeDeviceBackend,
  type DeviceBackend,
  type SharedFloats,
  type UpdateKernels,
} from './device-backend.js'
import { dtypeCodes, type KernelExports } from './wasm/exports.js'
import { activeWasmBackend } from './wasm/register.js'
import type { DcmlWasmBackend } from './wasm/wasm-backend.js'

/** A range of float32 numbers that stays where it is until it is disposed. */
export interface DeviceFloats {
  /** Number of elements. */
  readonly length: number
  /** Where it lies in the backend's memory, a multiple of 64. */
  readonly pointer: number
  /**
   * The elements. A view that goes stale when the memory grows or a kernel runs: ask again after either.
   */
  view(): Float32Array
  /** The elements `from` to `to`, not including it, to be read: such a view, or a copy that a GPU makes meanwhile. */
  read(from: number, to: number): Promise<Float32Array>
  /** Sets elements from `at` on, before any kernel that starts later. */
  write(values: Float32Array, at: number): void
  /**
   * A tensor over part of the range; it owns nothing, so it must not be used after the range is disposed.
   *
   * @param offset - First element.
   * @throws {ShapeError} if the part reaches over the end.
   */
  tensor(offset: number, shape: number[]): tf.Tensor
  /** Gives the range back. */
  dispose(): void
}

/**
 * A zeroed range on the current backend, or undefined when that is none of dcml's own.
 *
 * @example
 * const gradients = createDeviceFloats(layout.length)
 */
export function createDeviceFloats(length: number): DeviceFloats | undefined {
  const backend = activeDeviceBackend()
  if (!backend) return undefined
  const floats = new BackendFloats(backend, length, backend.shareFloats(length))
  fillPart(floats, 0, length, 0)
  return floats
}

/** A range that another thread made, in the wasm memory that both use. Disposing it gives nothing back. */
export function aliasDeviceFloats(pointer: number, length: number): DeviceFloats {
  const backend = requireWasm('aliasDeviceFloats')
  const view = () => backend.heap.floats.subarray(pointer / 4, pointer / 4 + length)
  return new BackendFloats(backend, length, { pointer, view, ...accessTo(view), release: () => undefined })
}

/** Places of a backend's memory, noted there for kernels such as `totals` and `sumRanges`. */
export interface DeviceAddresses {
  /** Where the first of them stands. */
  readonly pointer: number
  dispose(): void
}

/** Notes places in the memory of the current backend. */
export function createDeviceAddresses(addresses: readonly number[]): DeviceAddresses {
  const backend = requireBackend('createDeviceAddresses')
  const { addressWords: words, heap } = backend
  const length = addresses.length * words
  const pointer = heap.allocate(length * 4, 'list of addresses', [addresses.length])
  backend.writeInto({ pointer, dtype: 'int32', length }, (target, start) => {
    for (const [i, address] of addresses.entries()) {
      target[start + i * words] = address
      if (words === 2) target[start + i * 2 + 1] = address / 2 ** 32
    }
  })
  return { pointer, dispose: () => heap.release(pointer) }
}

/** The update rules that work on ranges in place; undefined on a backend that is none of dcml's own. */
export const updateKernels = (): UpdateKernels | undefined => activeDeviceBackend()?.kernels

/** The kernels of dcml-wasm for callers that run them on ranges of their own; undefined on any other backend. */
export const wasmExports = (): KernelExports | undefined => activeWasmBackend()?.kernels

/**
 * Where a tensor's first element is in the backend's memory.
 *
 * @throws {StateError} if the current backend is none of dcml's own.
 */
export const pointerOf = (tensor: tf.Tensor): number => requireBackend('pointerOf').pointer(tensor)

/**
 * Copies a tensor's elements into a range, or adds them to what is there.
 *
 * @param tensor - float32, any shape.
 * @param offset - The first element in the range.
 * @throws {ShapeError} if they do not fit.
 */
export function copyInto(tensor: tf.Tensor, target: DeviceFloats, offset: number, accumulate: boolean): void {
  const backend = requireBackend('copyInto')
  assertInside(target.length, offset, tensor.shape)
  const source = backend.pointer(tensor)
  const destination = target.pointer + offset * 4
  if (accumulate) backend.kernels.addInto(source, destination, tensor.size, 1)
  else backend.kernels.copyRows(source, destination, 1, tensor.size * 4, 0, 0)
}

/** Sets a part of a range to a value. */
export function fillPart(target: DeviceFloats, offset: number, length: number, value: number): void {
  assertInside(target.length, offset, [length])
  requireBackend('fillPart').kernels.fill(dtypeCodes.float32, target.pointer + offset * 4, length, value)
}

/** The whole memory of dcml-wasm as float32; index = byte offset / 4. Goes stale when the memory grows. */
export const deviceFloats = (): Float32Array => requireWasm('deviceFloats').heap.floats

class BackendFloats implements DeviceFloats {
  readonly pointer: number
  readonly #backend: DeviceBackend
  readonly #range: SharedFloats
  #disposed = false

  constructor(
    backend: DeviceBackend,
    readonly length: number,
    range: SharedFloats,
  ) {
    this.#backend = backend
    this.#range = range
    this.pointer = range.pointer
  }

  view(): Float32Array {
    this.#assertAlive()
    return this.#range.view()
  }

  read(from: number, to: number): Promise<Float32Array> {
    this.#assertAlive()
    return this.#range.read(from, to)
  }

  write(values: Float32Array, at: number): void {
    this.#assertAlive()
    assertInside(this.length, at, [values.length])
    this.#range.write(values, at)
  }

  tensor(offset: number, shape: number[]): tf.Tensor {
    this.#assertAlive()
    assertInside(this.length, offset, shape)
    const info = this.#backend.alias(this.pointer + offset * 4, shape, 'float32')
    return tf.engine().makeTensorFromTensorInfo(info, this.#backend)
  }

  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    this.#range.release()
  }

  #assertAlive(): void {
    if (this.#disposed) throw new StateError('The range was disposed and cannot be used any more.')
  }
}

function requireBackend(what: string): DeviceBackend {
  return activeDeviceBackend() ?? refuse(what, "a backend of dcml's own, wasm or cuda")
}

function requireWasm(what: string): DcmlWasmBackend {
  return activeWasmBackend() ?? refuse(what, "dcml's wasm backend")
}

function refuse(what: string, needed: string): never {
  throw new StateError(`${what} needs ${needed}.`, {
    received: tf.getBackend(),
    remedy: "Call selectBackend({ prefer: ['wasm'] }) first",
  })
}

function assertInside(length: number, offset: number, shape: number[]): void {
  if (offset < 0 || offset + sizeOf(shape) > length)
    throw new ShapeError('The tensor does not fit into the range.', {
      expected: `at most ${length} elements in all`,
      received: `${describe(shape)} from element ${offset} on`,
    })
}
