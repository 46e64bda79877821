import type { PlannedTasks } from './settings.ts';

/**
 * An array job, its gathering, and what submits both. A task that is requeued finds done what it has done: `sward unit`
 * skips that.
 */
export function slurmFiles({
  title,
  job,
  list,
  tasks,
  folder,
  out,
  plan,
  settings,
  provider,
}: PlannedTasks): Record<string, string> {
  const { program, cpus, memory, gpus, parallel, time, partition } = settings;
  const sward = program.map(quoted).join(' ');
  const options = (name: string, further: readonly string[]): string =>
    [
      `--job-name=${name}`,
      '--requeue',
      '--open-mode=append',
      ...(time === undefined ? [] : [`--time=${time}`]),
      ...(partition === undefined ? [] : [`--partition=${partition}`]),
      ...further,
    ]
      .map((option) => `#SBATCH ${option}\n`)
      .join('');
  const most = parallel === undefined ? '' : `%${parallel}`;
  const script = (comment: string, header: string, line: string): string =>
    `#!/bin/bash\n# ${comment}\n${header}set -eu\ncd ${quoted(folder)}\n${line}\n`;
  return {
    'array.sh': script(
      `${title}: each task computes its share of the units, and skips what is done.`,
      options(job, [
        `--array=0-${tasks - 1}${most}`,
        `--cpus-per-task=${cpus}`,
        `--mem=${memory}`,
        ...(gpus > 0 ? [`--gres=gpu:${gpus}`] : []),
      ]),
      `${gpus > 0 ? `export SWARD_PROVIDER=${quoted(provider)}\n` : ''}exec ${sward} unit ${quoted(list)} --index "$SLURM_ARRAY_TASK_ID" --of ${tasks} --threads ${cpus}`,
    ),
    'gather.sh': script(
      `${title}: makes the result of what the array has computed, or names what is missing.`,
      options(`${job}-gather`, [`--cpus-per-task=${cpus}`, `--mem=${memory}`]),
      // A batch script runs as a copy elsewhere, and does not know where it lay.
      `plan=${quoted(plan)}\nexec ${sward} gather "\${1:-$plan}"`,
    ),
    'submit.sh':
      '#!/bin/bash\n# Submits the array, and its gathering for when all tasks have ended.\nset -eu\n' +
      'plan=$(cd "$(dirname "$0")" && pwd)\n' +
      // As `noteGathered` writes it.
      `if grep -q '^  "gathered": true' "$plan/plan.json"; then\n  echo ${quoted(gatheredText(out))}\n  exit 0\nfi\n` +
      'array=$(sbatch --parsable --output="$plan/log-%A_%a.txt" "$plan/array.sh")\n' +
      'sbatch --dependency="afterany:$array" --output="$plan/log-gather.txt" "$plan/gather.sh" "$plan"\n',
  };
}

const gatheredText = (out: string): string =>
  `is gathered already: ${out}; to compute it anew, remove that, give the same sward plan again, and then this`;

/** A word as a shell takes it. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
