export { type AssistName, type AssistReport, listAssists } from './assist/load-assist.js'
