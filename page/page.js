// The page that answers until the app does: it pairs the device and asks the server about photos, one after another.

const element = (id) => document.getElementById(id);
const FRACTIONS = ['green', 'dead', 'clover'];
const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

/** What the server answers; a refusal is an error in its words. */
async function ask(path, options = {}) {
  const response = await fetch(path, options);
  const body = await response.json().catch(() => null);
  if (response.ok) return body;
  const error = new Error(body?.error?.message ?? `The server answered ${response.status}.`);
  error.status = response.status;
  error.retryAfter = Number(response.headers.get('retry-after'));
  throw error;
}

const asJson = (value) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
});

const pause = (seconds) => new Promise((settle) => setTimeout(settle, seconds * 1000));

/** Takes up the code of a pairing link, which then stands in the address no longer. */
async function pairByLink() {
  const code = /^#pair=(.+)$/.exec(location.hash)?.[1];
  if (!code) return;
  history.replaceState(null, '', location.pathname);
  await ask('/api/devices/pair', asJson({ code }));
}

/** An element with text in it, never markup. */
function made(name, text, className) {
  const node = document.createElement(name);
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  return node;
}

function figure(kilograms, unit) {
  const line = made('p', whole.format(kilograms), 'figure');
  line.append(' ', made('small', unit));
  return line;
}

/** Shares of the fractions as a bar. */
function bar(masses) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 100 6');
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('class', 'bar');
  svg.setAttribute('aria-hidden', 'true');
  const sum = FRACTIONS.reduce((total, name) => total + (masses[name] ?? 0), 0);
  let x = 0;
  for (const name of FRACTIONS) {
    const width = sum > 0 ? (100 * (masses[name] ?? 0)) / sum : 0;
    const part = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
    part.setAttribute('x', x);
    part.setAttribute('width', width);
    part.setAttribute('height', 6);
    part.setAttribute('class', name);
    svg.append(part);
    x += width;
  }
  return svg;
}

function key(masses) {
  const line = made('p', undefined, 'key quiet');
  for (const name of FRACTIONS) {
    if (masses[name] !== null) line.append(made('span', `${name} ${fine.format(masses[name])} g`, name));
  }
  return line;
}

/** Photos that were answered, for their mean. */
const answered = [];

function showMean() {
  const totals = answered.map(({ kgDmPerHa }) => kgDmPerHa.total).filter((total) => total !== null);
  const card = element('mean');
  card.hidden = totals.length < 2;
  if (card.hidden) return;
  const mean = totals.reduce((sum, total) => sum + total, 0) / totals.length;
  card.replaceChildren(
    figure(mean, 'kg DM/ha'),
    made('p', `mean of ${totals.length} photos, modelled by run ${answered.at(-1).run.name}`, 'quiet'),
  );
}

function showAnswer(card, answer) {
  const { kgDmPerHa, masses, interval, outOfDomain, frameAreaSquareMetres } = answer;
  const nodes = [];
  if (kgDmPerHa.total !== null) nodes.push(figure(kgDmPerHa.total, 'kg DM/ha'));
  if (interval?.total) {
    const perHectare = (grams) => whole.format((grams * 10) / frameAreaSquareMetres);
    const [low, high] = interval.total;
    const share = fine.format(100 * interval.coverage);
    nodes.push(
      made('p', `${perHectare(low)} to ${perHectare(high)} in ${share} of 100 cases; modelled`, 'quiet'),
    );
  }
  nodes.push(bar(masses), key(masses));
  if (outOfDomain.flagged) {
    nodes.push(
      made('p', 'Unlike the photos the run was trained on, or heavier than any: do not rely on it.', 'warn'),
    );
  }
  card.replaceChildren(...nodes);
  answered.push(answer);
  showMean();
}

/** Asks about a photo until the server has time for it. */
async function estimate(file, card) {
  for (;;) {
    const form = new FormData();
    form.append('photo', file);
    const frame = element('frame').value;
    if (frame) form.append('frameAreaSquareMetres', frame);
    try {
      return showAnswer(card, await ask('/api/estimate', { method: 'POST', body: form }));
    } catch (error) {
      if (error.status === 401) return showPaired();
      if (error.status !== 429) {
        const why = error.status
          ? error.message
          : 'The server cannot be reached. Choose the photo again when it can.';
        return card.replaceChildren(made('p', file.name, 'quiet name'), made('p', why, 'warn'));
      }
      card.replaceChildren(made('p', 'The server is busy; waiting for its turn …', 'quiet'));
      await pause(Math.max(1, error.retryAfter || 1));
    }
  }
}

let queue = Promise.resolve();

function add(files) {
  for (const file of files) {
    const item = document.createElement('li');
    const picture = document.createElement('img');
    picture.alt = file.name;
    picture.src = URL.createObjectURL(file);
    picture.onload = () => URL.revokeObjectURL(picture.src);
    const card = made('div');
    card.append(made('p', 'Waiting …', 'quiet'));
    item.append(picture, card);
    element('photos').prepend(item);
    queue = queue.then(() => {
      card.replaceChildren(made('p', 'Estimating …', 'quiet'));
      return estimate(file, card);
    });
  }
}

for (const id of ['camera', 'gallery']) {
  element(id).addEventListener('change', (event) => {
    add([...event.target.files]);
    event.target.value = '';
  });
}

element('pairing').addEventListener('submit', async (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  const { link, qr } = await ask('/api/devices/pairings', asJson(Object.fromEntries(form)));
  element('qr').src = `data:image/svg+xml,${encodeURIComponent(qr)}`;
  element('link-text').textContent = link;
  element('link').hidden = false;
});

/** Shows what this device may do. */
async function showPaired() {
  try {
    const device = await ask('/api/devices/me');
    const [farm, runs] = await Promise.all([ask('/api/farm'), ask('/api/runs')]);
    element('farm').textContent = farm.name || 'sward';
    const run = runs.items.find(({ chosen }) => chosen);
    element('about').textContent =
      `Estimates by run ${run.name}. This device: ${device.name}, ${device.role}.`;
    element('paired').hidden = false;
    element('unpaired').hidden = true;
    element('devices').hidden = device.role !== 'owner';
  } catch (error) {
    if (error.status !== 401) element('unpaired-why').textContent = error.message;
    element('unpaired').hidden = false;
    element('paired').hidden = true;
    element('devices').hidden = true;
  }
}

async function begin() {
  try {
    await pairByLink();
    await showPaired();
  } catch (error) {
    await showPaired();
    element('unpaired-why').textContent = error.message;
  }
}

// The link may be opened where the page is open already.
addEventListener('hashchange', () => location.hash && begin());
await begin();
