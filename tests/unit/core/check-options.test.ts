import { describe, expect, it } from 'vitest'
import { ConfigError, withDefaults } from '../../../src/core/index.js'

interface Options {
  rate?: number
  name?: string
}

const complete = (options: Options) => withDefaults('part', options, { rate: 0.1, name: undefined })

describe('withDefaults', () => {
  it('puts defaults where an option is left out or undefined', () => {
    expect(complete({})).toEqual({ rate: 0.1, name: undefined })
    expect(complete({ rate: undefined, name: 'a' } as Options)).toEqual({ rate: 0.1, name: 'a' })
    expect(complete({ rate: 0 })).toEqual({ rate: 0, name: undefined })
  })

  it('takes options that an object has from its class or prototype', () => {
    class Settings {
      get rate() {
        return 0.5
      }
    }
    expect(complete(new Settings()).rate).toBe(0.5)
    expect(complete(Object.create({ rate: 0.5 })).rate).toBe(0.5)
  })

  it.each([
    [
      'another name',
      { rates: 1 },
      "part has no option 'rates'. Expected one of rate, name; received rates. Did you mean 'rate'?",
    ],
    ['a number', 0.1, 'What was given as options of part is none. Expected an object; received 0.1.'],
    ['null', null, 'What was given as options of part is none.'],
  ])('refuses %s', (_, options, message) => {
    const refused = () => complete(options as Options)
    expect(refused).toThrow(ConfigError)
    expect(refused).toThrow(message)
  })
})
