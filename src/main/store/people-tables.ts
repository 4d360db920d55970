/**
 * The tables that cannot be computed again: what people wrote, and what it hangs on. Parents come before their children.
 * Atlases, maps and neurons are left out: a job makes them again from the files.
 */

/** Small enough to be copied whole at every clean close. */
export const PEOPLE_TABLES = [
  ...['setting', 'model', 'dataset', 'activation_set', 'run', 'sae', 'export'],
  ...['tag', 'label', 'feature_tag', 'safety_flag', 'note', 'list', 'list_feature', 'saved_view'],
] as const

/** What a repair takes out of a damaged database besides: the history of runs. */
export const HISTORY_TABLES = ['job', 'metric'] as const

/** Tables whose rows a person typed; without any of them there is nothing to copy. */
export const WRITTEN_TABLES: readonly string[] = ['label', 'feature_tag', 'safety_flag', 'note', 'list', 'saved_view']
