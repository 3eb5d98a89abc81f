export { type AssistName, type AssistReport, listAssists } from './assist/load-assist.js'
export { type DeviceLinkReport, listDeviceLinks } from './cuda/list-device-links.js'
