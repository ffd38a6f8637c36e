// SPDX-License-Identifier: GPL-2.0-or-later
// Shows only what matches the words in the field; without scripts all is shown.
(function () {
  var field = document.getElementById("filter");
  if (!field) return;
  field.hidden = false;
  field.addEventListener("input", function () {
    var words = field.value.toLowerCase().split(/\s+/);
    document.querySelectorAll("[data-case]").forEach(function (element) {
      var text = element.getAttribute("data-case");
      element.hidden = !words.every(function (word) { return text.indexOf(word) >= 0; });
    });
  });
  function openTarget() {
    var target = location.hash && document.getElementById(location.hash.slice(1));
    if (target) target.open = true;
  }
  window.addEventListener("hashchange", openTarget);
  openTarget();
})();
