/** What the two sides of a comparison are called: their numbers may be the same in two autoencoders. */
export const SIDE_LETTERS = ['A', 'B'] as const
export type SideLetter = (typeof SIDE_LETTERS)[number]
