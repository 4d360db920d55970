/** Type of the plugin for the configuration files. */
import type { Plugin } from 'vite'

export default function assemblyscript(): Plugin
