/** Whether out/ was built from the inputs as they are now. */
export function isBuilt(): boolean
