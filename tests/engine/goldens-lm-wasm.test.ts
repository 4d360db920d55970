/** The language-model fixtures, and the pretrained test model, on the wasm backend. */
import { testAllModels } from './lm-all'

await testAllModels('wasm')
