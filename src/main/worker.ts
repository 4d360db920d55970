/** The entry of what computes: a worker process, or one of the threads that such a process starts with this same script. */
import { isMainThread } from 'node:worker_threads'
import { serveProcess } from './tasks/process'
import { serveThread } from './tasks/thread'

if (isMainThread) serveProcess(import.meta.filename)
else serveThread()
