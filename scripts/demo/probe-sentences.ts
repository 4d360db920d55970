/** Texts the probes ask with: sentences on one matter in seven languages, and English texts on one topic. Written for this purpose. */

/** Sentences of one matter by language; the first of each is searched with, the second confirms. */
export type Matter = { name: string; sentences: Record<string, readonly [string, string]> }

export const MATTERS: readonly Matter[] = [
  {
    name: 'printing',
    sentences: {
      en: [
        'You can print the document on another printer.',
        'Before printing, choose the paper in the printer settings.',
      ],
      de: [
        'Sie können das Dokument auf einem anderen Drucker drucken.',
        'Wählen Sie vor dem Drucken das Papier in den Druckereinstellungen.',
      ],
      fr: [
        'Vous pouvez imprimer le document sur une autre imprimante.',
        "Avant l'impression, choisissez le papier dans les paramètres de l'imprimante.",
      ],
      es: [
        'Puede imprimir el documento en otra impresora.',
        'Antes de imprimir, elija el papel en la configuración de la impresora.',
      ],
      ko: ['문서를 다른 프린터로 인쇄할 수 있습니다.', '인쇄하기 전에 프린터 설정에서 용지를 선택하십시오.'],
      ja: ['文書は別のプリンターで印刷できます。', '印刷する前に、プリンターの設定で用紙を選択します。'],
      zh: ['您可以用另一台打印机打印文档。', '打印之前，请在打印机设置中选择纸张。'],
    },
  },
  {
    name: 'tables',
    sentences: {
      en: ['Insert a table with three rows and four columns.', 'Delete the last column of the table.'],
      de: [
        'Fügen Sie eine Tabelle mit drei Zeilen und vier Spalten ein.',
        'Löschen Sie die letzte Spalte der Tabelle.',
      ],
      fr: ['Insérez un tableau de trois lignes et quatre colonnes.', 'Supprimez la dernière colonne du tableau.'],
      es: ['Inserte una tabla con tres filas y cuatro columnas.', 'Elimine la última columna de la tabla.'],
      ko: ['행이 세 개이고 열이 네 개인 표를 삽입합니다.', '표의 마지막 열을 삭제합니다.'],
      ja: ['3 行 4 列の表を挿入します。', '表の最後の列を削除します。'],
      zh: ['插入一个三行四列的表格。', '删除表格的最后一列。'],
    },
  },
  {
    name: 'pictures',
    sentences: {
      en: [
        'The image is shown in the background of the page.',
        'Choose a graphic from the gallery and change its size.',
      ],
      de: [
        'Das Bild wird im Hintergrund der Seite angezeigt.',
        'Wählen Sie eine Grafik aus der Galerie und ändern Sie ihre Größe.',
      ],
      fr: [
        "L'image s'affiche à l'arrière-plan de la page.",
        'Choisissez une image de la galerie et modifiez sa taille.',
      ],
      es: ['La imagen se muestra en el fondo de la página.', 'Elija una imagen de la galería y cambie su tamaño.'],
      ko: ['그림이 페이지의 배경에 표시됩니다.', '갤러리에서 그림을 선택하고 크기를 변경합니다.'],
      ja: ['画像はページの背景に表示されます。', 'ギャラリーから画像を選択し、サイズを変更します。'],
      zh: ['图像显示在页面的背景中。', '从图库中选择图片并更改其大小。'],
    },
  },
  {
    name: 'saving files',
    sentences: {
      en: ['Save the file under a new name.', 'The changes are lost if you close the file without saving.'],
      de: [
        'Speichern Sie die Datei unter einem neuen Namen.',
        'Die Änderungen gehen verloren, wenn Sie die Datei schließen, ohne zu speichern.',
      ],
      fr: [
        'Enregistrez le fichier sous un nouveau nom.',
        'Les modifications sont perdues si vous fermez le fichier sans enregistrer.',
      ],
      es: ['Guarde el archivo con otro nombre.', 'Los cambios se pierden si cierra el archivo sin guardar.'],
      ko: ['파일을 새 이름으로 저장하십시오.', '저장하지 않고 파일을 닫으면 변경 내용이 사라집니다.'],
      ja: ['ファイルを新しい名前で保存します。', '保存せずにファイルを閉じると、変更は失われます。'],
      zh: ['用新名称保存文件。', '如果不保存就关闭文件，更改将会丢失。'],
    },
  },
  {
    name: 'formulas of a spreadsheet',
    sentences: {
      en: ['The formula returns the sum of the cells.', 'Enter the formula in the cell to calculate the average.'],
      de: [
        'Die Formel gibt die Summe der Zellen zurück.',
        'Geben Sie die Formel in die Zelle ein, um den Mittelwert zu berechnen.',
      ],
      fr: [
        'La formule renvoie la somme des cellules.',
        'Saisissez la formule dans la cellule pour calculer la moyenne.',
      ],
      es: ['La fórmula devuelve la suma de las celdas.', 'Escriba la fórmula en la celda para calcular el promedio.'],
      ko: ['이 수식은 셀의 합계를 반환합니다.', '평균을 계산하려면 셀에 수식을 입력하십시오.'],
      ja: ['この数式はセルの合計を返します。', '平均を計算するには、セルに数式を入力します。'],
      zh: ['该公式返回单元格的总和。', '在单元格中输入公式以计算平均值。'],
    },
  },
  {
    name: 'colours',
    sentences: {
      en: ['Change the colour of the line to red.', 'The text is blue and the background is yellow.'],
      de: ['Ändern Sie die Farbe der Linie in Rot.', 'Der Text ist blau und der Hintergrund ist gelb.'],
      fr: ['Changez la couleur de la ligne en rouge.', 'Le texte est bleu et le fond est jaune.'],
      es: ['Cambie el color de la línea a rojo.', 'El texto es azul y el fondo es amarillo.'],
      ko: ['선의 색을 빨간색으로 바꿉니다.', '글자는 파란색이고 배경은 노란색입니다.'],
      ja: ['線の色を赤に変更します。', '文字は青で、背景は黄色です。'],
      zh: ['将线条的颜色改为红色。', '文字是蓝色的，背景是黄色的。'],
    },
  },
  {
    name: 'searching for words',
    sentences: {
      en: [
        'Search for a word and replace it with another one.',
        'The search finds all words that begin with this letter.',
      ],
      de: [
        'Suchen Sie nach einem Wort und ersetzen Sie es durch ein anderes.',
        'Die Suche findet alle Wörter, die mit diesem Buchstaben beginnen.',
      ],
      fr: [
        'Recherchez un mot et remplacez-le par un autre.',
        'La recherche trouve tous les mots qui commencent par cette lettre.',
      ],
      es: [
        'Busque una palabra y reemplácela por otra.',
        'La búsqueda encuentra todas las palabras que empiezan con esta letra.',
      ],
      ko: ['단어를 찾아 다른 단어로 바꿉니다.', '이 글자로 시작하는 모든 단어를 검색합니다.'],
      ja: ['単語を検索して別の単語に置き換えます。', 'この文字で始まるすべての単語が検索されます。'],
      zh: ['查找一个单词并将其替换为另一个。', '搜索会找到以此字母开头的所有单词。'],
    },
  },
  {
    name: 'charts',
    sentences: {
      en: ['The chart shows the values on the vertical axis.', 'Add a legend to the pie chart.'],
      de: ['Das Diagramm zeigt die Werte auf der vertikalen Achse.', 'Fügen Sie dem Kreisdiagramm eine Legende hinzu.'],
      fr: ["Le diagramme affiche les valeurs sur l'axe vertical.", 'Ajoutez une légende au diagramme en secteurs.'],
      es: ['El gráfico muestra los valores en el eje vertical.', 'Añada una leyenda al gráfico circular.'],
      ko: ['차트는 세로축에 값을 표시합니다.', '원형 차트에 범례를 추가합니다.'],
      ja: ['グラフは縦軸に値を表示します。', '円グラフに凡例を追加します。'],
      zh: ['图表在纵轴上显示数值。', '为饼图添加图例。'],
    },
  },
  {
    name: 'passwords',
    sentences: {
      en: ['Protect the document with a password.', 'Enter your password again to confirm it.'],
      de: ['Schützen Sie das Dokument mit einem Kennwort.', 'Geben Sie Ihr Kennwort zur Bestätigung noch einmal ein.'],
      fr: ['Protégez le document par un mot de passe.', 'Saisissez de nouveau votre mot de passe pour le confirmer.'],
      es: ['Proteja el documento con una contraseña.', 'Escriba de nuevo su contraseña para confirmarla.'],
      ko: ['암호로 문서를 보호합니다.', '확인을 위해 암호를 다시 입력하십시오.'],
      ja: ['パスワードで文書を保護します。', '確認のためにパスワードをもう一度入力します。'],
      zh: ['用密码保护文档。', '请再次输入密码以确认。'],
    },
  },
  {
    name: 'page numbers',
    sentences: {
      en: ['The page number appears in the footer.', 'Start the numbering of the pages with the second page.'],
      de: [
        'Die Seitennummer erscheint in der Fußzeile.',
        'Beginnen Sie die Nummerierung der Seiten mit der zweiten Seite.',
      ],
      fr: [
        'Le numéro de page apparaît dans le pied de page.',
        'Commencez la numérotation des pages à la deuxième page.',
      ],
      es: [
        'El número de página aparece en el pie de página.',
        'Empiece la numeración de las páginas en la segunda página.',
      ],
      ko: ['페이지 번호가 바닥글에 나타납니다.', '두 번째 페이지부터 페이지 번호를 매깁니다.'],
      ja: ['ページ番号はフッターに表示されます。', '2 ページ目からページ番号を開始します。'],
      zh: ['页码显示在页脚中。', '从第二页开始编排页码。'],
    },
  },
  {
    name: 'weather',
    sentences: {
      en: ['It is raining today and the wind is cold.', 'Tomorrow the sun will shine and it will be warm.'],
      de: ['Heute regnet es und der Wind ist kalt.', 'Morgen scheint die Sonne und es wird warm.'],
      fr: ["Il pleut aujourd'hui et le vent est froid.", 'Demain le soleil brillera et il fera chaud.'],
      es: ['Hoy llueve y el viento es frío.', 'Mañana brillará el sol y hará calor.'],
      ko: ['오늘은 비가 오고 바람이 차갑습니다.', '내일은 해가 나고 따뜻할 것입니다.'],
      ja: ['今日は雨で、風が冷たいです。', '明日は日が照って暖かくなります。'],
      zh: ['今天下雨，风很冷。', '明天会出太阳，天气会暖和。'],
    },
  },
  {
    name: 'food',
    sentences: {
      en: ['We eat bread and cheese in the morning.', 'My mother cooks fish with rice for dinner.'],
      de: ['Am Morgen essen wir Brot und Käse.', 'Meine Mutter kocht zum Abendessen Fisch mit Reis.'],
      fr: ['Le matin nous mangeons du pain et du fromage.', 'Ma mère prépare du poisson avec du riz pour le dîner.'],
      es: ['Por la mañana comemos pan y queso.', 'Mi madre cocina pescado con arroz para la cena.'],
      ko: ['우리는 아침에 빵과 치즈를 먹습니다.', '어머니는 저녁으로 생선과 밥을 요리합니다.'],
      ja: ['私たちは朝にパンとチーズを食べます。', '母は夕食に魚とご飯を作ります。'],
      zh: ['我们早上吃面包和奶酪。', '我妈妈晚饭做鱼和米饭。'],
    },
  },
]

/** English texts on one topic: the first three are searched with, the others confirm. No word of content is in both halves of a topic. */
export const TOPICS: Readonly<Record<string, readonly string[]>> = {
  'whales and ships': [
    'The sailors lowered the boats and rowed after the whale.',
    'Our captain stood on the deck and looked over the waves.',
    'They threw the harpoon as the monster rose from the deep.',
    'The crew of the vessel had been at sea for two years.',
    'A spout of water was seen from the masthead.',
    'The ship sailed from Nantucket around the Cape.',
  ],
  'God and worship': [
    'And the priest shall burn the offering upon the altar.',
    'The children of Israel did evil in the sight of the Lord.',
    'Praise ye his holy name, and sing unto him.',
    'The prophet spoke the words of the covenant in the temple.',
    'Thou shalt keep the sabbath and remember my commandments.',
    'Blessed be God, who forgiveth thy sins.',
  ],
  'public money': [
    'The Treasury will pay the national debt out of the revenue.',
    'Congress must reduce taxes and balance the budget.',
    'The deficit amounted to forty million dollars this year.',
    'Expenditures of the Government exceeded the receipts of the fiscal period.',
    'The tariff raised duties on imported goods.',
    'Banks issued notes payable in gold and silver coin.',
  ],
  'war and armies': [
    'Our soldiers fought bravely against the enemy in that battle.',
    'The troops were sent to defend the border.',
    'The navy and the army need more weapons.',
    'The general ordered an attack on the fort at dawn.',
    'After the invasion the nation armed its military forces.',
    'Peace was signed when the war had ended.',
  ],
  'networks and servers': [
    'The server closed the connection after a timeout.',
    'Send an HTTP request to the host on port 8080.',
    'The client could not resolve the address of the proxy.',
    'The socket is bound to an IP and listens for packets.',
    'A response with status 404 was received from the web service.',
    'TLS certificates are verified during the handshake.',
  ],
  'memory of a program': [
    'Free the buffer after the pointer has been copied.',
    'The function allocates memory on the heap.',
    'The array is too small and overflows.',
    'The garbage collector releases objects that nobody references.',
    'A null dereference crashed the process with a segmentation fault.',
    'malloc returns the size in bytes of the block.',
  ],
  'the body and illness': [
    'The doctor examined the fever of the sick child.',
    'Blood flows from the heart through the arteries.',
    'The disease affects the lungs and the skin.',
    'A physician treated the wound with medicine.',
    'Pain in the stomach is a symptom of the infection.',
    'The nerves of the hand lead to the brain.',
  ],
  'plants and trees': [
    'The leaves of the oak fall in autumn.',
    'Roses and lilies are flowers with a sweet smell.',
    'The farmer sowed wheat and corn in the field.',
    'A shrub with yellow blossoms and small berries.',
    'The root of this herb grows in wet soil.',
    'Pine forests cover the hills.',
  ],
}
