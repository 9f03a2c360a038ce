// The desk's page in a real browser: a traveler presses, an officer reads and
// answers. Whatever the traveler wrote must arrive as text.
import assert from 'node:assert/strict';
import { mkdtemp, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { Program, valuesOf } from './processes.js';

const { HOMELINE_PROGRAMS: programs, HOMELINE_PICTURES: pictures, CHROMIUM } = process.env;

// Three ways to run a script, one of them inside a Chinese sentence.
const NOTE = '我在山谷里受伤了 <img src=x onerror="window.owned = true"> 🆘 '
  + '"><script>window.owned = true</script> <b>加粗</b> javascript:alert(1)';
const NAME = '李伟 <svg onload="window.owned = true">';
const WAIT = { timeout: 15_000 };

let work;
let stage;
let desk;
let traveler;
let browser;
let page;
const complaints = [];
const reports = {};

async function press(note) {
  const { text } = await traveler.ask({ do: 'press', kind: 'medical', note });
  await traveler.ask({ do: 'sync' });
  const status = await traveler.ask({ do: 'status', report: text });
  assert.match(status.text, /^received: .* case /);
  return { report: text, id: status.text.split(' ').at(-1) };
}

/** The row of a case. */
const row = ({ id }) => page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: id }) });

/** What the traveler's phone shows after its next pass. */
async function shownToTraveler({ report }) {
  await traveler.ask({ do: 'sync' });
  return (await traveler.ask({ do: 'status', report })).text;
}

before(async () => {
  work = await mkdtemp(join(tmpdir(), 'desk-'));
  await mkdir(pictures, { recursive: true });
  stage = new Program(join(programs, 'stage'));
  const values = await stage.read();
  desk = { url: `${values.desk}/desk`, token: values.desk_token };

  traveler = new Program(join(programs, 'traveler'));
  await traveler.ask({ do: 'open', values: valuesOf(values), directory: work, locked: false });
  await traveler.ask({
    do: 'register',
    traveler: { name: NAME, kind: { kind: 'student', school: '海峡大学' }, phone: '+905321234567' },
    contacts: [{ name: '李母', phone: '+8613800138000', relation: 'parent' }],
  });
  await traveler.ask({
    do: 'record',
    fixes: [{
      position: { datum: 'wgs84', latitude: 41.0082, longitude: 28.9784 },
      time_ms: Date.now() - 10 * 60_000,
      accuracy_m: 12,
      source: 'gnss',
    }],
  });
  reports.first = await press(NOTE);
  reports.second = await press('Second press, for the keyboard.');

  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  page.setDefaultTimeout(WAIT.timeout);
  page.on('console', (said) => {
    if (['error', 'warning'].includes(said.type())) complaints.push(said.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('dialog', (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`);
    return dialog.dismiss();
  });
});

after(async () => {
  await browser?.close();
  await traveler?.end();
  await stage?.end();
  if (work) await rm(work, { recursive: true });
});

test('without the token nobody is let in', async () => {
  const stranger = await browser.newContext();
  const unlucky = await stranger.newPage();
  for (const url of [desk.url, `${desk.url}?token=${'0'.repeat(64)}`, `${desk.url}/api/cases`]) {
    const answer = await unlucky.goto(url);
    assert.equal(answer.status(), 401, url);
    const text = await unlucky.content();
    for (const secret of [reports.first.id, '李伟', '山谷']) assert.ok(!text.includes(secret));
  }
  await stranger.close();
});

test('with the token both cases are listed, and the address keeps no token', async () => {
  await page.goto(`${desk.url}?token=${desk.token}`);
  await row(reports.first).waitFor();
  await row(reports.second).waitFor();
  assert.equal(await page.locator('tbody tr').count(), 2);
  assert.equal(page.url(), desk.url);
  assert.equal(await page.title(), '(2) Duty desk');
});

test('what the traveler wrote is text: no element, no script', async () => {
  const text = await row(reports.first).innerText();
  assert.ok(text.includes(NOTE), text);
  assert.ok(text.includes(NAME), text);
  assert.ok(text.includes('李母') && text.includes('+8613800138000'), text);
  assert.equal(await page.locator('tbody :is(img, svg, script, b, a)').count(), 0);
  assert.equal(await page.evaluate(() => window.owned), undefined);
});

test('the position is shown with its age', async () => {
  const text = await row(reports.first).innerText();
  assert.match(text, /41\.008200, 28\.978400/);
  assert.match(text, /WGS84, ± 12 m, gnss/);
  assert.match(text, /At least 10 min old now/);
});

test('an acknowledgement through the form reaches the traveler', async () => {
  const first = row(reports.first);
  await first.getByLabel('Officer').fill('王芳 <i>');
  await first.getByLabel('Mission').fill('驻伊斯坦布尔总领馆');
  await first.getByRole('button', { name: 'Acknowledge' }).click();
  await first.getByText('Acknowledged', { exact: true }).waitFor();
  assert.equal(await shownToTraveler(reports.first), 'acknowledged: by 王芳 <i>, 驻伊斯坦布尔总领馆');
  assert.match(await shownToTraveler(reports.second), /^received/);
});

test('the keyboard alone is enough', async () => {
  await page.reload();
  const second = row(reports.second);
  await second.waitFor();
  const officer = second.getByLabel('Officer');
  for (let tabs = 0; tabs < 30; tabs += 1) {
    if (await officer.evaluate((input) => input === document.activeElement)) break;
    await page.keyboard.press('Tab');
  }
  assert.ok(await officer.evaluate((input) => input === document.activeElement), 'Tab does not reach the form');
  const outline = await officer.evaluate((input) => getComputedStyle(input).outlineStyle);
  assert.notEqual(outline, 'none', 'the focus cannot be seen');
  await page.keyboard.type('Chen');
  await page.keyboard.press('Tab');
  // Longer than one round of the page's own refresh: the focus must stay.
  await page.waitForTimeout(4_500);
  await page.keyboard.type('Istanbul');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await second.getByText('Acknowledged', { exact: true }).waitFor();
  assert.equal(await shownToTraveler(reports.second), 'acknowledged: by Chen, Istanbul');
});

test('dark, light, wide and narrow: nothing is cut off', async () => {
  reports.third = await press('A third one, still new. 余震不断，路断了。');
  const paper = {};
  for (const scheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: scheme });
    for (const [name, width] of [['wide', 1400], ['narrow', 390]]) {
      await page.setViewportSize({ width, height: 900 });
      await page.reload();
      await row(reports.third).waitFor();
      await page.screenshot({ path: join(pictures, `desk-${scheme}-${name}.png`), fullPage: true });
      const { scroll, client } = await page.evaluate(() => {
        const { scrollWidth: scroll, clientWidth: client } = document.documentElement;
        return { scroll, client };
      });
      assert.ok(scroll <= client, `${scheme} ${name}: ${scroll} > ${client}`);
      const button = await row(reports.third).getByRole('button', { name: 'Acknowledge' }).boundingBox();
      assert.ok(button.x >= 0 && button.x + button.width <= width, `${name}: the button is out of sight`);
    }
    paper[scheme] = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  }
  assert.notEqual(paper.light, paper.dark);
});

test('the page has complained about nothing', () => {
  assert.deepEqual(complaints, []);
});
