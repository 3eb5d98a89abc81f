export { type LaunchOptions, launch } from './launch/launch.js'
