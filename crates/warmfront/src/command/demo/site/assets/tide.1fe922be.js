// Draws one day of tides: two highs, twelve hours and twenty-five minutes apart.
const canvas = document.getElementById("tide");
const pen = canvas?.getContext("2d");
if (pen) {
  const { width, height } = canvas;
  const style = getComputedStyle(document.body);
  const firstHigh = 5 + 10 / 60;
  const period = 12 + 25 / 60;
  const level = (hour) => height / 2 - (height / 2 - 12) * Math.cos(((hour - firstHigh) / period) * 2 * Math.PI);
  pen.strokeStyle = style.color;
  pen.lineWidth = 2;
  pen.beginPath();
  for (let x = 0; x <= width; x += 2) {
    pen.lineTo(x, height - level((x / width) * 24));
  }
  pen.stroke();
}
