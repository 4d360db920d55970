/** Everything a workspace remembers: one object per aggregate over one SQLite file. */
import { join } from 'node:path'
import { ActivationStore } from './activations'
import { AtlasImport } from './atlas-import'
import { DatasetStore } from './datasets'
import { openDb, type Db, type OpenDbOptions } from './db'
import { ExportStore } from './exports'
import { FeatureStore } from './features'
import { JobStore } from './jobs'
import { LabelStore } from './labels'
import { ListStore } from './lists'
import { MapStore } from './maps'
import { SeenFileStore } from './seen-files'
import { MetricStore } from './metrics'
import { ModelStore } from './models'
import { NeuronStore } from './neurons'
import { NoteStore } from './notes'
import { copyPeople } from './people-copy'
import { RunStore } from './runs'
import { SaeStore } from './saes'
import { SafetyStore } from './safety'
import { SavedViewStore } from './saved-views'
import { SettingStore } from './settings'
import { TagStore } from './tags'

export type Store = {
  models: ModelStore
  datasets: DatasetStore
  activations: ActivationStore
  runs: RunStore
  jobs: JobStore
  metrics: MetricStore
  saes: SaeStore
  features: FeatureStore
  atlases: AtlasImport
  maps: MapStore
  seenFiles: SeenFileStore
  neurons: NeuronStore
  labels: LabelStore
  tags: TagStore
  notes: NoteStore
  lists: ListStore
  savedViews: SavedViewStore
  safety: SafetyStore
  exports: ExportStore
  settings: SettingStore
  /** Writes a copy of what people wrote beside the database, unless nothing has changed; see people-copy.ts. */
  copyPeople(): void
  /** Runs several writes as one: all or none. Nothing in it may be asynchronous. */
  together<T>(writes: () => T): T
  close(): void
}

/**
 * Opens the store of a workspace.
 * @param folder the workspace; stored paths inside it are relative to it
 * @throws AppError `workspace-damaged`, `workspace-too-new`, `migration-failed`, `file-corrupt`
 */
export function openStore(options: OpenDbOptions & { folder: string }): Store {
  const db: Db = openDb(options)
  const labels = new LabelStore(db)
  const tags = new TagStore(db)
  const safety = new SafetyStore(db)
  const notes = new NoteStore(db)
  const lists = new ListStore(db)
  return {
    models: new ModelStore(db),
    datasets: new DatasetStore(db),
    activations: new ActivationStore(db, join(options.folder, 'activations')),
    runs: new RunStore(db, join(options.folder, 'runs')),
    jobs: new JobStore(db),
    metrics: new MetricStore(db),
    saes: new SaeStore(db, options.folder),
    features: new FeatureStore(db, { labels, tags, safety, notes, lists }),
    atlases: new AtlasImport(db),
    maps: new MapStore(db),
    seenFiles: new SeenFileStore(db),
    neurons: new NeuronStore(db),
    labels,
    tags,
    safety,
    notes,
    lists,
    savedViews: new SavedViewStore(db),
    exports: new ExportStore(db, options.folder),
    settings: new SettingStore(db),
    copyPeople: () => void copyPeople(db, options.backups),
    together: (writes) => db.transaction(writes)(),
    close: () => db.close(),
  }
}
