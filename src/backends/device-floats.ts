/**
 * Long-lived float32 ranges in the memory of dcml's wasm backend, and tensors that alias parts of them.
 *
 * Parameters, gradients and optimizer slots live in such ranges, so that an optimizer updates a model's variables in
 * place and in one call.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import { describe, ShapeError, StateError, sizeOf } from '../core/index.js'
import { dtypeCodes, type KernelExports } from './wasm/exports.js'
import { activeWasmBackend } from './wasm/register.js'
import type { DcmlWasmBackend } from './wasm/wasm-backend.js'

/** A range of float32 numbers that stays where it is until it is disposed. */
export interface DeviceFloats {
  /** Number of elements. */
  readonly length: number
  /** Byte offset in the wasm memory, a multiple of 64. */
  readonly pointer: number
  /** The elements. A view that goes stale when the memory grows: ask again after anything was allocated. */
  view(): Float32Array
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
 * A zeroed range on the current backend, or undefined when that is not dcml-wasm.
 *
 * @example
 * const gradients = createDeviceFloats(layout.length)
 */
export function createDeviceFloats(length: number): DeviceFloats | undefined {
  const backend = activeWasmBackend()
  return backend && new WasmFloats(backend, length)
}

/** A range that another thread made, in the memory that both use. Disposing it gives nothing back. */
export const aliasDeviceFloats = (pointer: number, length: number): DeviceFloats =>
  new WasmFloats(requireBackend('aliasDeviceFloats'), length, pointer)

/** The kernels of dcml-wasm for callers that run them on ranges of their own; undefined on any other backend. */
export const wasmExports = (): KernelExports | undefined => activeWasmBackend()?.kernels

/**
 * Byte offset of a tensor's first element in the memory of dcml-wasm.
 *
 * @throws {StateError} if the current backend is not dcml-wasm.
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

/** Sets a part of a range to zero. */
export function clear(target: DeviceFloats, offset: number, length: number): void {
  assertInside(target.length, offset, [length])
  requireBackend('clear').kernels.fill(dtypeCodes.float32, target.pointer + offset * 4, length, 0)
}

/** The whole memory of dcml-wasm as float32; index = byte offset / 4. Goes stale when the memory grows. */
export const deviceFloats = (): Float32Array => requireBackend('deviceFloats').heap.floats

class WasmFloats implements DeviceFloats {
  readonly pointer: number
  readonly #backend: DcmlWasmBackend
  readonly #owned: boolean
  #disposed = false

  /** @param place - Where the range lies when someone else owns it. */
  constructor(
    backend: DcmlWasmBackend,
    readonly length: number,
    place?: number,
  ) {
    this.#backend = backend
    this.#owned = place === undefined
    this.pointer = place ?? backend.heap.allocate(length * 4, 'float32 range', [length])
    if (this.#owned) this.view().fill(0)
  }

  view(): Float32Array {
    this.#assertAlive()
    const index = this.pointer / 4
    return this.#backend.heap.floats.subarray(index, index + this.length)
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
    if (this.#owned) this.#backend.heap.release(this.pointer)
  }

  #assertAlive(): void {
    if (this.#disposed) throw new StateError('The range was disposed and cannot be used any more.')
  }
}

function requireBackend(what: string): DcmlWasmBackend {
  const backend = activeWasmBackend()
  if (backend === undefined)
    throw new StateError(`${what} needs dcml's wasm backend.`, {
      received: tf.getBackend(),
      remedy: "Call selectBackend({ prefer: ['wasm'] }) first",
    })
  return backend
}

function assertInside(length: number, offset: number, shape: number[]): void {
  if (offset < 0 || offset + sizeOf(shape) > length)
    throw new ShapeError('The tensor does not fit into the range.', {
      expected: `at most ${length} elements in all`,
      received: `${describe(shape)} from element ${offset} on`,
    })
}
