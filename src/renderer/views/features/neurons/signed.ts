/** A correlation with its sign, as it stands in the views. */

export const signed = (r: number): string => r.toFixed(2).replace('-', '−')
