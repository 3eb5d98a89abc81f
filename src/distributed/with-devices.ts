/** A transport whose collectives use the GPUs of its workers. @module */

import { type WorkerDevices, workerDevices } from '../backends/index.js'
import { TransportError } from '../core/index.js'
import type { Transport } from '../transport/index.js'
import { DeviceCollectives } from './device-collectives.js'

/** The same transport, where workers share the cores of a machine; else one with collectives between their devices. */
export function withDevices(transport: Transport): Transport {
  const devices = workerDevices()
  return devices && transport.worldSize > 1 ? new DeviceTransport(transport, devices) : transport
}

/** Messages go over the transport; where the group ends, the GPUs stop too. */
class DeviceTransport implements Transport {
  readonly rank: number
  readonly worldSize: number
  readonly host?: string
  readonly waits?: NonNullable<Transport['waits']>
  readonly native: DeviceCollectives
  readonly #transport: Transport

  constructor(transport: Transport, devices: WorkerDevices) {
    this.#transport = transport
    this.rank = transport.rank
    this.worldSize = transport.worldSize
    if (transport.host !== undefined) this.host = transport.host
    if (transport.waits) this.waits = transport.waits
    this.native = new DeviceCollectives(transport, devices)
  }

  send(to: number, tag: number, bytes: Uint8Array): Promise<void> {
    return this.#transport.send(to, tag, bytes)
  }

  receive(from: number, tag: number, into?: Uint8Array): Promise<Uint8Array> {
    return this.#transport.receive(from, tag, into)
  }

  abort(reason: string): void {
    this.native.end(new TransportError(`The group was ended: ${reason}`))
    this.#transport.abort(reason)
  }

  close(): Promise<void> {
    this.native.end(new TransportError('The transport is closed.'))
    return this.#transport.close()
  }
}
