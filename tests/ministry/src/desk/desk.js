// The duty desk. Fetches the cases every few seconds and keeps one table row
// for each. Whatever a traveler wrote is set as text; no string becomes markup.
'use strict';

(() => {
  const EVERY_MS = 4000;
  const status = document.getElementById('status');
  const table = document.getElementById('table');
  const body = document.getElementById('cases');
  const none = document.getElementById('none');
  const rows = new Map();
  const last = { officer: '', mission: '' };
  let asOf = null;
  let shownGroups = null;

  // An element with a class and a text or children.
  function el(tag, className, ...children) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    node.append(...children.map((child) => (child instanceof Node ? child : String(child))));
    return node;
  }

  const p = (className, text) => el('p', className, text);

  // Text that came from outside: its writing direction stays its own.
  function words(className, text) {
    const node = p(className, text);
    node.dir = 'auto';
    return node;
  }

  function time(ms) {
    const date = new Date(ms);
    if (ms === null || Number.isNaN(date.getTime())) return 'unknown';
    return date.toISOString().slice(0, 19).replace('T', ' ') + ' UTC';
  }

  function span(ms) {
    if (ms === null || ms < 0) return 'unknown time';
    const s = Math.floor(ms / 1000);
    if (s < 90) return `${s} s`;
    if (s < 90 * 60) return `${Math.round(s / 60)} min`;
    if (s < 36 * 3600) return `${Math.round(s / 3600)} h`;
    return `${Math.round(s / 86400)} days`;
  }

  function caseCell(c) {
    const cell = [
      p('number', c.id),
      p('state', { new: 'New', acknowledged: 'Acknowledged', closed: 'Closed', cancelled: 'Taken back by the traveler' }[c.state]),
    ];
    if (c.cancelled_ms !== null && c.state !== 'cancelled') cell.push(p('soft', 'The traveler took it back.'));
    if (c.officer) cell.push(words('words soft', `${c.officer}, ${c.mission}`));
    return cell;
  }

  // What has come by text message or packet while the full report is under way.
  function compact(c) {
    const it = c.compact;
    if (it.full_report) return [p('soft', `Came in its short form first, by ${it.channel}.`)];
    const cell = [p('soft', `Short form only, by ${it.channel}: who calls and the whole note are still to come.`)];
    for (const { part, text } of it.texts) {
      cell.push(text === null ? p('soft', `Part ${part} of the note is missing.`) : words('note', text));
    }
    if (it.cut) cell.push(p('soft', 'The note is longer than its parts.'));
    if (it.waited_ms !== null && it.waited_ms > 60000) cell.push(p('soft', `Sealed ${span(it.waited_ms)} after the press.`));
    return cell;
  }

  function reportCell(c) {
    const cell = [
      p('strong', c.kind === null ? 'The report itself has not arrived yet' : c.kind),
      words('note', c.note),
    ];
    if (c.compact) cell.push(...compact(c));
    if (c.note_cut) cell.push(p('soft', 'The note was longer and has been cut by the phone.'));
    const facts = [];
    if (c.people !== null) facts.push(`${c.people} people`);
    if (c.battery_percent !== null) facts.push(`battery ${c.battery_percent} %`);
    if (facts.length) cell.push(p('', facts.join(', ')));
    cell.push(p('soft', `Pressed ${time(c.pressed_ms)} (phone's clock)`));
    cell.push(p('soft', `Received ${time(c.received_ms)}, ${c.times_received} ×`));
    cell.push(...c.attachments.flatMap(attachmentLine));
    if (c.foreign_letters) cell.push(p('soft', `${c.foreign_letters} message(s) about this report are not from its sender and are not shown.`));
    return cell;
  }

  function size(bytes) {
    if (bytes < 1024) return `${bytes} bytes`;
    return bytes < 1024 * 1024 ? `${Math.round(bytes / 1024)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
  }

  // A file is handed out, never shown here: whoever wrote it is not known to be kind.
  function attachmentLine(a) {
    const what = `${a.name || 'Attachment'}, ${a.media_type}, ${size(a.bytes)}`;
    const parts = [];
    if (a.complete_ms !== null) {
      const link = el('a', 'words', what);
      link.href = `/desk/api/attachments/${encodeURIComponent(a.id)}`;
      link.download = '';
      parts.push(el('p', '', link));
    } else {
      parts.push(words('words', what));
      parts.push(p('soft', a.refused ? 'What came is not what was announced: refused.' : `Announced ${time(a.announced_ms)}, ${a.chunks_here} of ${a.chunks} parts here`));
    }
    if (a.of_other_sender) parts.push(p('strong', 'Not by the sender of the report, or after its keys have changed'));
    return parts;
  }

  const joined = (parts, between = ', ') => parts.filter(Boolean).join(between);
  const plain = (name) => name.replaceAll('_', ' ');
  const reachable = (person) => person && joined([person.name, person.phone]);

  // Why abroad, one line a fact.
  function kindLines(kind) {
    const lines = [plain(kind.kind)];
    for (const name of ['school', 'programme', 'employer', 'project', 'vessel']) {
      if (kind[name]) lines.push(`${name}: ${kind[name]}`);
    }
    for (const name of ['guardian', 'liaison']) {
      if (kind[name]) lines.push(`${name}: ${reachable(kind[name])}`);
    }
    return lines;
  }

  function documentLine(document) {
    return joined([
      joined([document.kind && plain(document.kind), document.number, document.issuing_state], ' '),
      document.expiry_date && `until ${document.expiry_date}`,
    ]);
  }

  function personLines(person) {
    return [
      joined([person.latin_name, person.birth_date && `born ${person.birth_date}`, person.nationality]),
      joined([person.phone, person.email]),
      person.languages.length && `speaks ${person.languages.join(', ')}`,
      ...person.documents.map(documentLine),
    ].filter(Boolean);
  }

  // Nothing is told to a contact that the traveler has not allowed.
  function contactLines(contact) {
    const told = contact.may_be_told || [];
    const languages = contact.languages || [];
    return [
      `${contact.relation}: ${joined([contact.name, contact.phone, contact.second_phone, contact.email])}`,
      joined([
        told.length ? `may be told: ${told.map(plain).join(', ')}` : 'ask only, tell nothing',
        languages.length && `speaks ${languages.join(', ')}`,
        contact.note,
      ], '; '),
    ];
  }

  // What the phone had registered, never without how old that is.
  function registeredCell(c, now) {
    const cell = [];
    if (c.stay) {
      const { stay, next } = c.stay;
      if (stay) {
        cell.push(words('words', `Registered at ${place(stay)}`));
        if (c.stay.certainty !== 'certain') cell.push(p('soft', 'This stay begins or ends about now.'));
        if (stay.lodging) cell.push(words('words soft', stay.lodging));
        if (stay.companions && stay.companions.length) cell.push(words('words soft', `With ${stay.companions.join(', ')}`));
      } else {
        cell.push(p('soft', 'On a trip, no stay registered for the time of the press'));
      }
      if (next) cell.push(words('words soft', `Next: ${place(next)}`));
      if (c.stay.returns) cell.push(p('soft', `Declared return ${c.stay.returns}`));
    }
    if (c.confirmed_ms !== null) {
      cell.push(p('soft', `Registration last confirmed ${span(now - c.confirmed_ms)} ago`));
    } else if (c.traveler) {
      cell.push(p('soft', 'Registration never confirmed'));
    }
    return cell;
  }

  const place = (stay) => `${stay.place}, ${stay.country}, ${stay.from} to ${stay.to}`;

  const GROUPS = {
    o_positive: 'O+', o_negative: 'O−', a_positive: 'A+', a_negative: 'A−',
    b_positive: 'B+', b_negative: 'B−', ab_positive: 'AB+', ab_negative: 'AB−',
  };

  function medicalCell(c) {
    if (!c.medical) return [];
    const { card } = c.medical;
    const cell = [p('strong', 'Medical card'), p('', `Blood group ${GROUPS[card.blood_group] || 'unknown'}`)];
    for (const [name, lines] of [['Allergies', card.allergies], ['Medication', card.medication], ['Conditions', card.conditions], ['Speaks', card.languages]]) {
      if (lines && lines.length) cell.push(words('words', `${name}: ${lines.join('; ')}`));
    }
    if (card.notes) cell.push(words('note', card.notes));
    const ground = c.medical.ground.ground === 'consent' ? `consent, text ${c.medical.ground.text_version}` : 'vital interest';
    cell.push(words('words soft', `Written by the traveler, as of ${time(c.medical.made_ms)} (phone's clock); ground: ${ground}`));
    return cell;
  }

  function travelerCell(c, now) {
    const cell = [];
    const lines = (className, all) => cell.push(...all.map((line) => words(className, line)));
    if (c.traveler) {
      cell.push(words('words strong', c.traveler.name));
      lines('words', personLines(c.traveler));
      lines('words soft', kindLines(c.traveler.kind));
    } else {
      cell.push(p('soft', 'Not known yet'));
    }
    for (const contact of c.contacts) lines('words soft', contactLines(contact));
    for (const dependent of c.dependents) {
      cell.push(words('words', `Registered by the traveler (${plain(dependent.capacity)}): ${dependent.name}`));
      lines('words soft', personLines(dependent));
    }
    cell.push(...registeredCell(c, now));
    cell.push(...medicalCell(c));
    return cell;
  }

  const odd = {
    jump: 'Doubtful: farther than an aircraft could fly',
    future: 'Doubtful: its time is ahead of the phone\u2019s',
    mock: 'Doubtful: made up by an app on the phone',
    time_unknown: 'Its source had no time: counted from its recording',
  };

  // A position is never shown without its age.
  function positionCell(c, now) {
    const at = c.position;
    if (!at) return [p('soft', 'None sent')];
    const sure = at.accuracy_m === null ? 'accuracy unknown' : `± ${Math.round(at.accuracy_m)} m`;
    const cell = [
      p('strong', `${at.latitude.toFixed(6)}, ${at.longitude.toFixed(6)}`),
      p('', `${at.datum.toUpperCase()}, ${sure}, ${at.source}`),
    ];
    if (at.age_ms === null) {
      cell.push(p('strong', 'Age unknown'));
    } else {
      cell.push(p('strong', `At least ${span(at.age_ms + Math.max(0, now - at.received_ms))} old now`));
      cell.push(p('soft', `${span(at.age_ms)} old at the press or update`));
    }
    for (const flag of at.flags || []) cell.push(p('strong', odd[flag] || `Doubtful: ${flag}`));
    if (at.datum !== 'wgs84') cell.push(p('soft', 'A shifted Chinese datum, not WGS 84'));
    cell.push(p('soft', `${c.updates} update(s)`));
    return cell;
  }

  const caveats = {
    converted: 'Converted from a shifted Chinese datum',
    radius_unknown: 'The radius is not known',
    time_unknown: 'When it was measured is not known',
    mock: 'Made up by an app on the phone',
    doubtful: 'Doubtful: see above',
  };

  // A text for another centre, with a button that copies it.
  function copyLine(name, text) {
    const button = el('button', '', 'Copy');
    button.type = 'button';
    button.setAttribute('aria-label', `Copy ${name}`);
    button.addEventListener('click', () => {
      navigator.clipboard.writeText(text)
        .then(() => { button.textContent = 'Copied'; })
        .catch(() => { button.textContent = 'Mark and copy by hand'; });
    });
    return el('p', 'words soft', `${name}: `, el('code', '', text), ' ', button);
  }

  // For a local emergency centre. Made once for each position: open stays open.
  function handoverCell(c) {
    const given = c.position && c.position.handover;
    if (!given || given.handover === 'no_position') return [];
    if (given.handover === 'datum_not_undone') {
      return [p('strong', 'Not for an emergency centre: the datum cannot be undone here, off by up to 1.4 km')];
    }
    const { texts } = given;
    const lines = [['AML 1', texts.aml_v1], ['AML 2', texts.aml_v2], ['ISO 6709', texts.iso6709], ['geo', texts.geo]]
      .map(([name, text]) => copyLine(name, text));
    const details = el('details', '', el('summary', '', 'For a local emergency centre (WGS 84)'),
      ...texts.caveats.map((caveat) => p('strong', caveats[caveat] || caveat)), ...lines);
    return [details];
  }

  async function act(id, action, data) {
    const answer = await fetch(`/desk/api/cases/${encodeURIComponent(id)}/${action}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(data),
    });
    if (!answer.ok) {
      const problem = await answer.json().catch(() => ({}));
      throw new Error(problem.title || `The desk answered ${answer.status}.`);
    }
    await refresh();
  }

  function field(name, text) {
    const input = el('input');
    input.name = name;
    input.required = true;
    input.maxLength = 200;
    input.autocomplete = 'off';
    input.value = last[name];
    return { input, label: el('label', '', text, input) };
  }

  function failed(cell, error) {
    const old = cell.querySelector('[role=alert]');
    if (old) old.remove();
    const alert = p('strong', error.message);
    alert.setAttribute('role', 'alert');
    cell.append(alert);
  }

  function acknowledgeForm(c, cell) {
    const officer = field('officer', 'Officer');
    const mission = field('mission', 'Mission');
    const button = el('button', 'main', 'Acknowledge');
    const form = el('form', '', officer.label, mission.label, button);
    form.setAttribute('aria-label', `Acknowledge ${c.id}`);
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      last.officer = officer.input.value;
      last.mission = mission.input.value;
      button.disabled = true;
      act(c.id, 'acknowledge', { ...last })
        .catch((error) => failed(cell, error))
        .finally(() => { button.disabled = false; });
    });
    return form;
  }

  function closeButton(c, cell) {
    const button = el('button', '', 'Close the case');
    button.type = 'button';
    button.setAttribute('aria-label', `Close case ${c.id}`);
    button.addEventListener('click', () => {
      if (!window.confirm(`Close case ${c.id}?`)) return;
      act(c.id, 'close', {}).catch((error) => failed(cell, error));
    });
    return button;
  }

  function actions(c, cell) {
    const parts = [];
    if (c.acknowledged_ms === null && c.closed_ms === null) parts.push(acknowledgeForm(c, cell));
    if (c.closed_ms === null && (c.acknowledged_ms !== null || c.cancelled_ms !== null)) parts.push(closeButton(c, cell));
    return parts;
  }

  function makeRow() {
    const head = el('th');
    head.scope = 'row';
    const cells = [head, el('td'), el('td'), el('td'), el('td')];
    // Its position ages with each look; the texts below it are made once.
    const parts = [el('div'), el('div')];
    cells[3].append(...parts);
    return { row: el('tr', '', ...cells), cells, parts, actionsFor: null, shown: null, handover: null };
  }

  function fill(entry, c, now) {
    const { row, cells } = entry;
    // With the one age that these cells tell: it changes once an hour, or a day.
    const shown = JSON.stringify(c) + (c.confirmed_ms === null ? '' : span(now - c.confirmed_ms));
    if (entry.shown !== shown) {
      entry.shown = shown;
      row.dataset.state = c.state;
      cells[0].replaceChildren(...caseCell(c));
      cells[1].replaceChildren(...reportCell(c));
      cells[2].replaceChildren(...travelerCell(c, now));
    }
    entry.parts[0].replaceChildren(...positionCell(c, now));
    const handover = JSON.stringify(c.position && c.position.handover);
    if (entry.handover !== handover) {
      entry.handover = handover;
      entry.parts[1].replaceChildren(...handoverCell(c));
    }
    // The form is left alone while somebody may be writing in it.
    const actionsFor = [c.acknowledged_ms, c.closed_ms, c.cancelled_ms].join();
    if (entry.actionsFor !== actionsFor) {
      entry.actionsFor = actionsFor;
      cells[4].replaceChildren(...actions(c, cells[4]));
    }
  }

  function show(list) {
    list.cases.forEach((c, index) => {
      let entry = rows.get(c.id);
      if (!entry) {
        entry = makeRow();
        rows.set(c.id, entry);
      }
      fill(entry, c, list.now_ms);
      // Moved only when it must: moving a row takes the focus from its form.
      if (body.children[index] !== entry.row) body.insertBefore(entry.row, body.children[index] || null);
    });
    const ids = new Set(list.cases.map((c) => c.id));
    for (const [id, entry] of rows) {
      if (!ids.has(id)) {
        entry.row.remove();
        rows.delete(id);
      }
    }
    table.hidden = list.cases.length === 0;
    none.hidden = list.cases.length !== 0;
  }

  function say(text, stale) {
    if (status.textContent !== text) status.textContent = text;
    status.classList.toggle('stale', stale);
  }

  async function refresh() {
    try {
      const answer = await fetch('/desk/api/cases', { cache: 'no-store' });
      if (answer.status === 401) {
        say('The service was started anew: open the address that it printed.', true);
        return;
      }
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      const list = await answer.json();
      show(list);
      asOf = list.now_ms;
      const open = list.cases.filter((c) => c.state === 'new').length;
      document.title = open ? `(${open}) Duty desk` : 'Duty desk';
      say(`${open} new of ${list.cases.length}${list.more ? ' newest' : ''} case(s)`, false);
    } catch (error) {
      say(`No answer from the service. What you see is as of ${time(asOf)}.`, true);
    }
  }

  // A group in words: its name, its days, who is in.
  function groupItem(g) {
    const days = g.days.map((day) => day || '?').join(' to ');
    const facts = [g.kind, days, `${g.members.length} member(s)`, `${g.left} left`];
    if (g.closed_ms !== null) facts.push('closed');
    if (g.unverified) facts.push(`${g.unverified} entries did not verify and are not shown`);
    const people = g.members.map((m) => {
      const parts = [m.name, m.phone, m.document_number].filter((part) => part);
      if (!m.signed) parts.push('written down by the leader');
      if (m.also_in) parts.push('counted in an earlier group');
      return words('words soft', parts.join(', '));
    });
    return el('li', '', words('words strong', g.agency ? `${g.name}, ${g.agency}` : g.name), p('', facts.join(', ')), ...people);
  }

  async function refreshGroups() {
    const answer = await fetch('/desk/api/groups', { cache: 'no-store' });
    if (!answer.ok) return;
    const text = await answer.text();
    if (text === shownGroups) return;
    shownGroups = text;
    const list = JSON.parse(text);
    document.getElementById('group-list').replaceChildren(...list.map(groupItem));
    document.getElementById('groups').hidden = list.length === 0;
  }

  async function loop() {
    await refresh();
    // The cases have said already that the service does not answer.
    await refreshGroups().catch(() => {});
    setTimeout(loop, EVERY_MS);
  }

  loop();
})();
