"use strict";
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const narrow = matchMedia("(max-width: 40rem)");
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  const unpacked = (element) => {
    const bytes = Uint8Array.from(atob(element.textContent), (one) => one.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).arrayBuffer();
  };
  const text = (bytes) => new TextDecoder().decode(bytes);

  const figureOf = (bytes) => {
    const length = new DataView(bytes).getUint32(0, true);
    const numbers = ([at, count, width]) => {
      const all = new Float32Array(bytes, 4 + length + 4 * at, count);
      return width ? Array.from({ length: count / width }, (_, row) => all.slice(row * width, (row + 1) * width)) : all;
    };
    const revived = (_, value) => (value?.floats ? numbers(value.floats) : value);
    return JSON.parse(text(new Uint8Array(bytes, 4, length)), revived);
  };

  let started;
  const plotly = () => {
    started ??= unpacked(document.getElementById("plotly")).then((bytes) => {
      const script = document.createElement("script");
      script.textContent = text(bytes);
      document.head.append(script);
    });
    return started;
  };

  const dressed = (figure, hidden) => {
    const { data, layout } = structuredClone(figure);
    const axis = { color: colour("faint"), gridcolor: colour("rule"), linecolor: colour("rule"), zeroline: false, zerolinecolor: colour("faint") };
    for (const [index, trace] of data.entries()) {
      trace.line = { ...trace.line, color: colour(trace.meta.role) };
      trace.marker = { ...trace.marker, color: colour(trace.meta.role) };
      trace.visible = !hidden.has(index);
    }
    for (const name of Object.keys(layout)) {
      if (/^[xy]axis/.test(name)) {
        layout[name] = { ...axis, ...layout[name] };
      }
    }
    for (const shape of layout.shapes ?? []) {
      Object.assign(shape, { fillcolor: colour(shape.name), opacity: 0.15, line: { width: 0 }, layer: "below" });
    }
    return {
      data,
      layout: {
        ...layout,
        height: layout.height ?? layout.meta.height * (narrow.matches ? 560 : 680),
        font: { color: colour("ink"), size: narrow.matches ? 11 : 12, family: "system-ui, sans-serif" },
        margin: narrow.matches && !layout.height ? { l: 40, r: 6, t: 24, b: 40 } : layout.margin,
        paper_bgcolor: colour("ground"),
        plot_bgcolor: "rgba(0, 0, 0, 0)",
        hoverlabel: { bgcolor: colour("raised"), bordercolor: colour("rule"), font: { color: colour("ink"), size: 11 } },
      },
    };
  };

  const chart = async (section) => {
    const plot = section.querySelector(".plot");
    const reading = section.querySelector(".reading");
    const [packed] = await Promise.all([unpacked(section.querySelector("script")), plotly()]);
    const figure = figureOf(packed);
    const whole = figure.layout.xaxis.range;
    const tops = Object.entries(figure.layout).filter(([name, axis]) => /^yaxis/.test(name) && !axis.fixedrange);
    const boxes = [...section.querySelectorAll("[data-trace]")];
    const hidden = new Set(boxes.filter((box) => !box.checked).map((box) => Number(box.dataset.trace)));
    let drawn = false;

    const draw = () => {
      const { data, layout } = dressed(figure, hidden);
      if (drawn) {
        for (const name of ["xaxis", ...tops.map(([axis]) => axis)]) {
          layout[name].range = plot.layout[name].range?.slice();
        }
      }
      const config = {
        responsive: true,
        displaylogo: false,
        showSendToCloud: false,
        plotlyServerURL: "",
        modeBarButtonsToRemove: ["select2d", "lasso2d"],
      };
      drawn = true;
      return Plotly.react(plot, data, layout, config);
    };
    const range = () => plot.layout.xaxis.range.map(Number);
    const show = (from, to) => {
      const length = Math.min(to - from, whole[1] - whole[0]);
      const begin = Math.max(whole[0], Math.min(from, whole[1] - length));
      return Plotly.relayout(plot, { "xaxis.range": [begin, begin + length] });
    };
    const zoom = (factor) => {
      const [from, to] = range();
      const half = ((to - from) * factor) / 2;
      return show((from + to) / 2 - half, (from + to) / 2 + half);
    };
    const pan = (share) => {
      const [from, to] = range();
      return show(from + share * (to - from), to + share * (to - from));
    };
    const height = section.querySelector("[data-do=height]");
    const stretch = (all) => {
      height.setAttribute("aria-pressed", all);
      const change = tops.map(([name, axis]) => (all ? [`${name}.autorange`, true] : [`${name}.range`, axis.range]));
      return Plotly.relayout(plot, Object.fromEntries(change));
    };
    const begins = () => {
      const found = plot.data.find((trace) => trace.meta.role === "pass");
      return [...found.x].filter((at, index) => index % 3 === 0);
    };
    const next = () => {
      const [from, to] = range();
      const ends = [...begins(), whole[1]];
      const whole_shown = to - from >= 0.999 * (whole[1] - whole[0]);
      const at = whole_shown ? 0 : ends.findIndex((begin) => begin > from + 1e-3);
      return at < 0 || at + 1 >= ends.length ? show(ends[0], ends[1] ?? whole[1]) : show(ends[at], ends[at + 1]);
    };
    const actions = {
      in: () => zoom(0.5),
      out: () => zoom(2),
      left: () => pan(-0.25),
      right: () => pan(0.25),
      pass: next,
      height: () => stretch(height.getAttribute("aria-pressed") !== "true"),
      reset: async () => {
        await stretch(false);
        await show(...whole);
      },
    };

    let cursor = null;
    const step = (by) => {
      const times = [...new Set(plot.data.filter((trace) => trace.visible && trace.meta.unit).flatMap((trace) => [...trace.x]))];
      times.sort((a, b) => a - b);
      const [from, to] = range();
      const inside = times.filter((at) => at >= from && at <= to);
      if (!inside.length) {
        return;
      }
      const after = inside.findIndex((at) => at >= (cursor ?? from));
      const at = cursor === null ? 0 : Math.max(0, Math.min(inside.length - 1, (after < 0 ? inside.length : after) + by));
      cursor = inside[at];
      Plotly.Fx.hover(plot, { xval: cursor }, ["xy", "xy2", "xy3"]);
      const read = plot.data
        .filter((trace) => trace.visible && trace.meta.unit)
        .map((trace) => [trace.meta, trace.y[trace.x.findIndex((time) => Math.abs(time - cursor) < 1e-6)]])
        .filter(([, value]) => Number.isFinite(value))
        .map(([meta, value]) => `${meta.name} ${value.toFixed(1)} ${meta.unit}`);
      reading.textContent = `${cursor.toFixed(3)} s: ${read.join(", ")}`;
    };
    const keys = {
      ArrowLeft: () => step(-1),
      ArrowRight: () => step(1),
      "+": actions.in,
      "=": actions.in,
      "-": actions.out,
      Home: actions.reset,
      n: actions.pass,
    };

    plot.addEventListener("keydown", (event) => {
      if (event.target === plot && keys[event.key] && !event.ctrlKey && !event.altKey && !event.metaKey) {
        event.preventDefault();
        keys[event.key]();
      }
    });
    for (const button of section.querySelectorAll("[data-do]")) {
      button.addEventListener("click", () => actions[button.dataset.do]());
    }
    for (const box of boxes) {
      const index = Number(box.dataset.trace);
      box.addEventListener("change", () => {
        box.checked ? hidden.delete(index) : hidden.add(index);
        Plotly.restyle(plot, { visible: box.checked }, [index]);
      });
    }
    for (const sign of section.querySelectorAll("[data-role]")) {
      sign.style.color = `var(--${sign.dataset.role})`;
    }
    for (const query of [dark, narrow]) {
      query.addEventListener("change", draw);
    }
    await draw();
  };

  const charts = (place) => {
    for (const section of place.querySelectorAll(".chart")) {
      new IntersectionObserver((seen, observer) => {
        if (seen.some((entry) => entry.isIntersecting)) {
          observer.disconnect();
          chart(section);
        }
      }, { rootMargin: "400px" }).observe(section.querySelector(".plot"));
    }
  };

  const open = async (later) => {
    const packed = later.querySelector(":scope > script");
    if (later.open && packed) {
      packed.remove();
      later.insertAdjacentHTML("beforeend", text(await unpacked(packed)));
      charts(later);
    }
  };
  const follow = () => document.getElementById(location.hash.slice(1))?.querySelector(".later")?.setAttribute("open", "");
  document.addEventListener("toggle", (event) => event.target.matches(".later") && open(event.target), true);
  window.addEventListener("hashchange", follow);
  charts(document);
  follow();
})();
