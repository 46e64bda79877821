import { stringify } from 'yaml';
import type { PlannedTasks } from './settings.ts';

/** Where pods keep what they can compute again. */
const CACHE = '/cache';

/** Attempts at a task before the others go on without it. */
const ATTEMPTS = 3;

/** The image that the Dockerfile makes. */
const IMAGE = 'sward:latest';

const SECRET = 'sward-s3';

/**
 * An Indexed Job: a pod a task, tried again by itself; one that its node evicts is no failure. Needs Kubernetes 1.29 or
 * later (`backoffLimitPerIndex`).
 */
export function kubernetesFiles({
  job,
  list,
  tasks,
  folder,
  settings,
  provider,
  objectStore,
}: PlannedTasks): Record<string, string> {
  const { cpus, memory, gpus, parallel = tasks, image = IMAGE, secret = SECRET, volume, program } = settings;
  const isInBucket = list.startsWith('s3://');
  const key = (name: string) => ({ name, valueFrom: { secretKeyRef: { name: secret, key: name } } });
  const labels = { 'app.kubernetes.io/name': 'sward', 'app.kubernetes.io/instance': job };
  const resources = {
    cpu: String(cpus),
    memory: memory.replace(/([KMGT])$/, '$1i'),
    ...(gpus > 0 && { 'nvidia.com/gpu': String(gpus) }),
  };
  const manifest = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: job, labels },
    spec: {
      completionMode: 'Indexed',
      completions: tasks,
      parallelism: Math.min(parallel, tasks),
      backoffLimitPerIndex: ATTEMPTS - 1,
      maxFailedIndexes: tasks,
      podFailurePolicy: {
        rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }],
      },
      template: {
        metadata: { labels },
        spec: {
          restartPolicy: 'Never',
          containers: [
            {
              name: 'unit',
              image,
              command: [
                ...program,
                'unit',
                list,
                '--index',
                '$(JOB_COMPLETION_INDEX)',
                '--of',
                String(tasks),
                '--threads',
                String(cpus),
              ],
              ...(volume && { workingDir: folder }),
              env: [
                { name: 'SWARD_CACHE', value: CACHE },
                ...(gpus > 0 ? [{ name: 'SWARD_PROVIDER', value: provider }] : []),
                ...(isInBucket
                  ? [
                      key('AWS_ACCESS_KEY_ID'),
                      key('AWS_SECRET_ACCESS_KEY'),
                      { name: 'AWS_REGION', value: objectStore?.region ?? 'us-east-1' },
                      ...(objectStore?.endpoint === undefined
                        ? []
                        : [{ name: 'AWS_ENDPOINT_URL', value: objectStore.endpoint }]),
                    ]
                  : []),
              ],
              resources: { requests: resources, limits: resources },
              volumeMounts: [
                { name: 'cache', mountPath: CACHE },
                ...(volume ? [{ name: 'data', mountPath: volume.path }] : []),
              ],
            },
          ],
          volumes: [
            { name: 'cache', emptyDir: {} },
            ...(volume ? [{ name: 'data', persistentVolumeClaim: { claimName: volume.claim } }] : []),
          ],
        },
      },
    },
  };
  return { 'job.yaml': stringify(manifest) };
}
