/**
 * Devices of which each worker has one: what the workers of a group need to know of theirs, and a way between them.
 * @module
 */

import type { TransportError } from '../core/index.js'
import { activeDeviceBackend } from './device-backend.js'

/** How values are combined. */
export type DeviceReduceOperation = 'sum' | 'mean' | 'max' | 'min'

/** The device of this worker, and the others of its machine. */
export interface WorkerDevices {
  /** Devices of this machine that workers may have one each of. */
  readonly count: number
  /** Of this worker's device, 16 bytes: no other of any machine has the same. */
  readonly id: Uint8Array
  /** Whether these floats, which JavaScript sees, are the device's own. */
  holds(values: Float32Array): boolean
  /**
   * Finds what links devices.
   *
   * @throws {BackendUnavailableError} if nothing does; it says what is missing, and how to get it.
   */
  openLink(): DeviceLink
  /**
   * Gives back what this thread holds of its device, which its end would not. Nothing of the backend can be used
   * afterwards.
   */
  close(): void
}

/** A way from device to device that does not lead through the memory of their hosts. */
export interface DeviceLink {
  /** All members of a group need the same. */
  readonly version: number
  /** 128 bytes that every member of a new group needs; made by one of them. */
  createGroupId(): Uint8Array
  /** Takes a place in a group. */
  join(place: DevicePlace): DeviceGroup
}

/** A member's place in a group. */
export interface DevicePlace {
  readonly id: Uint8Array
  readonly rank: number
  readonly worldSize: number
}

/**
 * Devices that work on arrays together. All members make the same calls, each once the one before it is done. A member
 * that does not come is waited for without end, until `abort`.
 */
export interface DeviceGroup {
  /** Once all members have come. */
  readonly ready: Promise<void>
  /** Combines the arrays of all members element by element, in place. @param values - Of those that the device holds. */
  allReduce(values: Float32Array, operation: DeviceReduceOperation): Promise<void>
  /** Ends this member's part: what is under way, and all that comes later, fails with the reason. */
  abort(reason: TransportError): void
}

/** The devices of the backend in use; undefined where workers share the cores of their machine. */
export const workerDevices = (): WorkerDevices | undefined => activeDeviceBackend()?.devices
