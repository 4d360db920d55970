/**
 * Where the caller writes what the kernels are to do: the places, four bytes each, of the control block, and the numbers that stand for
 * commands and kinds. Read by the kernels and, as it is plain TypeScript too, by their caller.
 */

/** Address of the control block. */
export const CONTROL_BYTES: i32 = 1024
/** Places in it. */
export const PLACES: i32 = 128

// Sizes
export const NEXT: i32 = 0
export const FAILED: i32 = 1
export const ROWS: i32 = 2
export const D_IN: i32 = 3
export const D_SAE: i32 = 4
export const PANELS: i32 = 5
export const KIND: i32 = 6
export const UNIT_ENTRIES: i32 = 7
export const GROUPS: i32 = 8
export const ROW_K: i32 = 9
export const AUX_K: i32 = 10
export const HAS_AUX: i32 = 11
export const CANDIDATES: i32 = 12
export const AUX_CANDIDATES: i32 = 13
export const SHIFTS_INPUT: i32 = 14
export const THREADS: i32 = 15
export const PRUNES_UNITS: i32 = 16
export const UNIT_DECODER: i32 = 17
export const FIRST_UNIT: i32 = 18
export const END_UNIT: i32 = 19
export const SCAN_ROW: i32 = 20
export const NESTED: i32 = 21 // widths of the nested dictionaries: 21 .. 28
export const LOG_THRESHOLD: i32 = 29
export const WANTED: i32 = 30

// Factors
export const TAU: i32 = 32
export const CUT: i32 = 33
export const OUT_SCALE: i32 = 34
export const AUX_SCALE: i32 = 35
export const PENALTY: i32 = 36
export const BANDWIDTH: i32 = 37
export const COUNT_SCALE: i32 = 38
export const GRADIENT_SCALE: i32 = 39
export const RATE: i32 = 40
export const CORRECTION: i32 = 41

// The band: rows whose lists and residuals are in memory, BAND_FIRST .. BAND_END
export const BAND_FIRST: i32 = 42
export const BAND_END: i32 = 43

// Addresses
export const ENC: i32 = 48 // parameter, first and second moment, gradient: four places each
export const DEC: i32 = 52
export const B_DEC: i32 = 56
export const BIAS: i32 = 60
export const EXTRA1: i32 = 64
export const EXTRA2: i32 = 68
export const INPUT: i32 = 72
export const RESIDUAL: i32 = 73
export const AUX_RESIDUAL: i32 = 74
export const ROW_FIRST: i32 = 75
export const ROW_COUNT: i32 = 76
export const ENTRY_INDEX: i32 = 77
export const ENTRY_VALUE: i32 = 78
export const ENTRY_GRADIENT: i32 = 79
export const ENTRY_EXTRA: i32 = 80
export const AUX_COUNT: i32 = 81
export const AUX_INDEX: i32 = 82
export const AUX_VALUE: i32 = 83
export const AUX_GRADIENT: i32 = 84
export const COLUMN_ENTRIES: i32 = 85
export const AUX_COLUMN_ENTRIES: i32 = 86
export const FLOOR: i32 = 87
export const AUX_FLOOR: i32 = 88
export const NORMS: i32 = 89
export const THETA: i32 = 90
export const FEATURE_SUMS: i32 = 91
export const GRADIENT_SUMS: i32 = 92
export const TOUCHED: i32 = 93
export const UNIT_COLUMNS: i32 = 94
export const ROW_FIGURES: i32 = 95
export const PANEL_SQUARES: i32 = 96
export const UNIT_TAU: i32 = 97
export const SCANNED: i32 = 98
export const SCRATCH: i32 = 99
export const SCRATCH_BYTES: i32 = 100
export const UNPACKED: i32 = 101

/** Rows that are encoded, selected and decoded together. */
export const UNIT_ROWS: i32 = 48
/** Rows and features of one tile of the encoder's product. */
export const TILE_ROWS: i32 = 6
export const LANES: i32 = 8

// Kinds of non-linearity
export const STANDARD: i32 = 0
export const LARGEST: i32 = 1
export const JUMPRELU: i32 = 2
export const GATED: i32 = 3

/** Figures of a row, float64 each: error, l1, auxiliary error, smallest active, active, what the sparsity term sums. */
export const FIGURES: i32 = 6

// Commands
export const ENCODE: i32 = 1
export const SCAN: i32 = 2
export const FINISH: i32 = 3
export const WEIGHT_GRADIENTS: i32 = 4
export const BIAS_GRADIENTS: i32 = 5
export const UPDATE: i32 = 6
export const UNPACK: i32 = 7
export const MEASURE: i32 = 8
export const ENCODE_FINISH: i32 = 9
export const SCAN_FINISH: i32 = 10
export const SHIFT_INPUT: i32 = 11
