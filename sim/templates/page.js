const drawing = [];

function show(id, spec) {
  drawing.push(vegaEmbed("#" + id, spec, {
    renderer: "svg",
    timeFormatLocale: locale,
    i18n: wording,
    actions: {export: true, source: false, compiled: false, editor: false},
    downloadFileName: id,
  }).then(function () {
    const menu = document.querySelector("#" + id + " summary");
    menu.setAttribute("aria-label", wording.CLICK_TO_VIEW_ACTIONS);
    // Readers hear what the chart says, and not the boxes its marks are drawn in.
    document.querySelector("#" + id + " svg > g").setAttribute("aria-hidden", "true");
  }).catch(function (problem) { console.error(problem); }));
}

// A chart measures the width it has, so what is folded is open until its charts are drawn, and
// measured again once it is opened. Without scripts nothing is folded.
document.addEventListener("DOMContentLoaded", function () {
  document.body.classList.add("drawing");
  Promise.all(drawing).then(function () {
    const full = document.body.classList.contains("full");
    document.querySelectorAll("details.more").forEach(function (more) { more.open = full; });
    document.body.classList.replace("drawing", "drawn");
    const aim = location.hash && document.getElementById(location.hash.slice(1));
    if (aim) aim.scrollIntoView();
  });
  document.querySelectorAll("details.more").forEach(function (more) {
    more.addEventListener("toggle", function () { window.dispatchEvent(new Event("resize")); });
  });
});
// Paper has what is open: by default a few pages, and after this all of it.
document.addEventListener("click", function (event) {
  if (!event.target.closest("button.all")) return;
  document.querySelectorAll("details.more").forEach(function (more) { more.open = true; });
});

function comma_separated(table) {
  const cells = function (row) {
    return Array.from(row.cells, function (cell) {
      return '"' + cell.textContent.trim().replaceAll('"', '""') + '"';
    }).join(",");
  };
  return "\ufeff" + Array.from(table.rows, cells).join("\r\n") + "\r\n";
}

// The table behind a chart as a file, made here and now: nothing is asked of any network.
document.addEventListener("click", function (event) {
  const button = event.target.closest("button.csv");
  if (!button) return;
  const behind = button.closest("details").querySelector("table");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([comma_separated(behind)], {type: "text/csv"}));
  link.download = button.dataset.name + ".csv";
  link.click();
  URL.revokeObjectURL(link.href);
});
