import { afterEach, describe, expect, it } from 'vitest'
import { chooseDevice, useWorkerIndex } from '../../../../src/backends/cuda/device-choice.js'
import { BackendUnavailableError, ConfigError } from '../../../../src/core/index.js'

describe('the GPU of a thread', () => {
  const launched = { RANK: '6', WORLD_SIZE: '8', LOCAL_RANK: '2', LOCAL_WORLD_SIZE: '4' }

  afterEach(() => useWorkerIndex(undefined))

  it('is the first, without workers', () => {
    expect(chooseDevice(4, {})).toEqual({ index: 0, count: 4, isNamed: false })
  })

  it('is that of the local rank of a process', () => {
    expect(chooseDevice(4, launched).index).toBe(2)
    expect(chooseDevice(4, { OMPI_COMM_WORLD_RANK: '5', OMPI_COMM_WORLD_SIZE: '8' }).index).toBe(0)
  })

  it('is that of the number of a thread', () => {
    useWorkerIndex(3)
    expect(chooseDevice(4, {}).index).toBe(3)
    expect(chooseDevice(4, launched).index).toBe(3)
  })

  it('is none where there are more workers than GPUs', () => {
    const choose = () => chooseDevice(2, launched)
    expect(choose).toThrow(BackendUnavailableError)
    expect(choose).toThrow(/no GPU for worker 2.*at most 2.*DCML_CUDA_DEVICE=0/)
  })

  it('is the one that is named, for every worker', () => {
    const env = { ...launched, DCML_CUDA_DEVICE: '1' }
    expect(chooseDevice(2, env)).toEqual({ index: 1, count: 2, isNamed: true })
    useWorkerIndex(5)
    expect(chooseDevice(2, env).index).toBe(1)
  })

  it.each(['2', '-1', 'GPU-8f5b', '0,1'])('is not one that is not there: %s', (named) => {
    const choose = () => chooseDevice(2, { DCML_CUDA_DEVICE: named })
    expect(choose).toThrow(ConfigError)
    expect(choose).toThrow(/DCML_CUDA_DEVICE.*0 to 1/)
  })
})
