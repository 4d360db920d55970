/**
 * Nested dictionaries that share their first features: batchtopk over all of them, and a loss that asks the first features of each
 * width for a reconstruction of their own (Bussmann et al. 2025), so that early features stay general. Loss: topk-family.ts.
 */
import { thresholded } from './batchtopk'
import type { Architecture } from './architecture'

export const matryoshkaBatchtopk: Architecture = { name: 'matryoshka_batchtopk', ...thresholded }
