/** Packages that not every user needs. @module */

import { ConfigError } from '../core/index.js'

/**
 * Loads a package that a user installs beside dcml.
 *
 * @param name - Its name, which bundlers never see, and so leave alone.
 * @param use - What needs it, for the message.
 * @throws {ConfigError} that says how to install it.
 */
export async function loadPackage<Module>(name: string, use: string): Promise<Module> {
  try {
    return (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as Module
  } catch (cause) {
    const isMissing = (cause as { code?: string }).code === 'ERR_MODULE_NOT_FOUND'
    throw new ConfigError(
      `${use} needs the package ${name}, which ${isMissing ? 'is not installed' : 'does not load'}.`,
      {
        ...(!isMissing && { received: (cause as Error).message.split('\n')[0] }),
        remedy: `Install it: npm install ${name}`,
        cause,
      },
    )
  }
}
